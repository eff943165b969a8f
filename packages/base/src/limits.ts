/**
 * Bounds on everything that is read from outside. Each row says the largest real value known and why the limit is far
 * above it; what an operator may want to change is a setting whose default stands here.
 */
export const limits = {
  /** Bytes of a request body as received. The documented bypass request is 10.1 MB; platforms stop at 32 MiB. */
  bodyBytes: 128 * 1024 * 1024,
  /** Bytes of a request body after decompression. */
  inflatedBytes: 256 * 1024 * 1024,
  /** Dimensions of a tensor. ONNX Runtime and PyTorch models use at most 8; TensorFlow allows 254. */
  rank: 64,
  /** Tensors in one request. A TorchEasyRec bypass request has one to three per feature, a few thousand in all. */
  tensors: 65_536,
  /** Features, map entries and string elements in one request. 10,000 items of 200 features are 2 million. */
  messageParts: 4_194_304,
  /** Levels of nested JSON in a `service.json` or an import file; the published ones have 5. */
  jsonDepth: 64,
  /** Bytes of a `service.json`. The largest published one is 4 kB. */
  serviceJsonBytes: 1024 * 1024,
  /** Bytes of a JSON file of values to send. An image of `[1, 3, 224, 224]` is 3 MB as text; larger ones are kept as .npy. */
  inputJsonBytes: 64 * 1024 * 1024,
  /** Bytes of the header of a .npy file. NumPy itself reads no more than 10,000 unless told to. */
  npyHeaderBytes: 64 * 1024,
  /** Bytes of an ONNX model's name, version or opset field, of which real ones have tens; weights are never among them. */
  onnxFieldBytes: 64 * 1024,
  /** Characters of a request target. Function Compute allows 4 KB paths. */
  targetChars: 16 * 1024,
} as const
