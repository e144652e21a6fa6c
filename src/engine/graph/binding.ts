/** The part of tfjs-node's native binding that the graph compiler stands on. */
export interface NativeBinding {
  createTensor(shape: readonly number[], dtype: number, values: TensorValues): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): TensorValues;
  executeOp(
    name: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorMetadata[];
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(id: number, inputs: readonly number[], inputNames: string, outputNames: string): TensorMetadata[];
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
}

export type TensorValues = Float32Array | Int32Array | Uint8Array;

/** What the binding says of a tensor: TensorFlow's number for its type, and the handle it is known by. */
export interface TensorMetadata {
  shape: number[];
  dtype: number;
  id: number;
}

export interface NativeAttribute {
  name: string;
  type: number;
  value: number | boolean | string | number[] | boolean[];
}

/** tfjs-node's backend as the compiler sees it: its binding can be replaced while a function is recorded. */
export interface NativeBackend {
  binding: NativeBinding;
  tensorMap: { get(dataId: object): { id: number; values: TensorValues | null; shape: number[]; dtype: number } };
  createOutputTensor(metadata: TensorMetadata): import('../tf.ts').tf.Tensor;
  getInputTensorIds(tensors: readonly { dataId: object }[]): number[];
}
