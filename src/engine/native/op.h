// What an operation needs of TensorFlow's C interface for operations and kernels (tensorflow/c/ops.h and kernels.h).
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

// Leaves out the rendezvous, whose header is not among those that are unpacked.
#define IS_SLIM_BUILD
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"

namespace harness {

using Shape = std::vector<int64_t>;

/** The number of elements of a shape. */
int64_t elements(const Shape& shape);

/** TensorFlow's answer to a call; check() throws what it says when it is not OK. */
class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(status_); }
  Status(const Status&) = delete;
  operator TF_Status*() { return status_; }
  void check() const {
    if (TF_GetCode(status_) != TF_OK) throw std::runtime_error(TF_Message(status_));
  }

 private:
  TF_Status* status_;
};

/** A float32 tensor, held as long as this lives. */
class Tensor {
 public:
  explicit Tensor(TF_Tensor* tensor) : tensor_(tensor) {}
  Tensor(Tensor&& other) : tensor_(other.tensor_) { other.tensor_ = nullptr; }
  Tensor(const Tensor&) = delete;
  ~Tensor() { if (tensor_ != nullptr) TF_DeleteTensor(tensor_); }
  float* data() const { return static_cast<float*>(TF_TensorData(tensor_)); }
  Shape shape() const {
    Shape shape(TF_NumDims(tensor_));
    for (size_t axis = 0; axis < shape.size(); axis++) shape[axis] = TF_Dim(tensor_, axis);
    return shape;
  }

 private:
  TF_Tensor* tensor_;
};

/** The attributes of an operation, as its kernel is made. Throw where one is absent or of another type. */
class Attributes {
 public:
  explicit Attributes(TF_OpKernelConstruction* construction) : construction_(construction) {}
  float number(const char* name) const;
  int32_t whole(const char* name) const;
  std::string text(const char* name) const;

 private:
  TF_OpKernelConstruction* construction_;
};

/** One run of a kernel. */
class Run {
 public:
  explicit Run(TF_OpKernelContext* context) : context_(context) {}
  Tensor input(int index) const;
  /** The input, which must have `count` elements, as every input by channel must. */
  Tensor input(int index, int64_t count, const char* name) const;
  Tensor output(int index, const Shape& shape) const;
  /** An output in the memory of an input of its size when nothing else needs that, else in memory of its own. */
  Tensor outputInPlaceOf(int input, int index, const Shape& shape) const;

 private:
  TF_OpKernelContext* context_;
};


/** What an operation is, in the notation of TensorFlow's op.h; every input and output is float32. */
struct OpDefinition {
  const char* name;
  std::vector<const char*> inputs;
  std::vector<const char*> outputs;
  std::vector<const char*> attributes;
  void (*inferShapes)(TF_ShapeInferenceContext*, TF_Status*);
};

/** Makes an operation known to TensorFlow. Throws what TensorFlow says against it. */
void registerOp(const OpDefinition& definition);

/** Shape function: output i has the shape of the input numbered INPUTS[i]. */
template <int... INPUTS>
void likeInputs(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeHandle* shape = TF_NewShapeHandle();
  int output = 0;
  for (int input : {INPUTS...}) {
    TF_ShapeInferenceContextGetInput(context, input, shape, status);
    if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, output++, shape, status);
    if (TF_GetCode(status) != TF_OK) break;
  }
  TF_DeleteShapeHandle(shape);
}

/**
 * Registers Kernel for an operation on the processor: made from Attributes, it has run(Run). What either throws becomes
 * the operation's error.
 */
template <class Kernel>
void registerKernel(const char* op) {
  const auto create = [](TF_OpKernelConstruction* construction) -> void* {
    try {
      return new Kernel(Attributes(construction));
    } catch (const std::exception& error) {
      Status status;
      TF_SetStatus(status, TF_INVALID_ARGUMENT, error.what());
      TF_OpKernelConstruction_Failure(construction, status);
      return nullptr;
    }
  };
  const auto compute = [](void* kernel, TF_OpKernelContext* context) {
    try {
      static_cast<const Kernel*>(kernel)->run(Run(context));
    } catch (const std::exception& error) {
      Status status;
      TF_SetStatus(status, TF_INVALID_ARGUMENT, error.what());
      TF_OpKernelContext_Failure(context, status);
    }
  };
  const auto remove = [](void* kernel) { delete static_cast<Kernel*>(kernel); };
  Status status;
  TF_RegisterKernelBuilder(op, TF_NewKernelBuilder(op, "CPU", create, compute, remove), status);
  status.check();
}

}  // namespace harness
