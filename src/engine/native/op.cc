#include "op.h"

namespace harness {

int64_t elements(const Shape& shape) {
  int64_t count = 1;
  for (int64_t side : shape) count *= side;
  return count;
}

float Attributes::number(const char* name) const {
  Status status;
  float value = 0;
  TF_OpKernelConstruction_GetAttrFloat(construction_, name, &value, status);
  status.check();
  return value;
}

int32_t Attributes::whole(const char* name) const {
  Status status;
  int32_t value = 0;
  TF_OpKernelConstruction_GetAttrInt32(construction_, name, &value, status);
  status.check();
  return value;
}

std::string Attributes::text(const char* name) const {
  Status status;
  int32_t list = 0, length = 0;
  TF_OpKernelConstruction_GetAttrSize(construction_, name, &list, &length, status);
  status.check();
  std::string value(length, ' ');
  TF_OpKernelConstruction_GetAttrString(construction_, name, &value[0], value.size(), status);
  status.check();
  return value;
}

Tensor Run::input(int index) const {
  Status status;
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context_, index, &tensor, status);
  status.check();
  return Tensor(tensor);
}

Tensor Run::input(int index, int64_t count, const char* name) const {
  Tensor tensor = input(index);
  const int64_t found = elements(tensor.shape());
  if (found == count) return tensor;
  throw std::runtime_error("Expected " + std::to_string(count) + " elements for " + name + " but received " +
                           std::to_string(found) + ".");
}

Tensor Run::output(int index, const Shape& shape) const {
  Status status;
  const size_t bytes = elements(shape) * sizeof(float);
  Tensor tensor(TF_AllocateOutput(context_, index, TF_FLOAT, shape.data(), shape.size(), bytes, status));
  status.check();
  return tensor;
}

Tensor Run::outputInPlaceOf(int input, int index, const Shape& shape) const {
  Status status;
  int forwarded = -1;
  Tensor tensor(TF_ForwardInputOrAllocateOutput(context_, &input, 1, index, shape.data(), shape.size(), &forwarded,
                                                status));
  status.check();
  return tensor;
}

void registerOp(const OpDefinition& definition) {
  TF_OpDefinitionBuilder* builder = TF_NewOpDefinitionBuilder(definition.name);
  for (const char* attribute : definition.attributes) TF_OpDefinitionBuilderAddAttr(builder, attribute);
  for (const char* input : definition.inputs) {
    TF_OpDefinitionBuilderAddInput(builder, (std::string(input) + ": float").c_str());
  }
  for (const char* output : definition.outputs) {
    TF_OpDefinitionBuilderAddOutput(builder, (std::string(output) + ": float").c_str());
  }
  TF_OpDefinitionBuilderSetShapeInferenceFunction(builder, definition.inferShapes);
  Status status;
  TF_RegisterOpDefinition(builder, status);
  status.check();
}

}  // namespace harness
