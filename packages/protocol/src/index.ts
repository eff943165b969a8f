export { compress, compressors, decompress, recogniseCompression } from './compression/index.ts'
export { type Compressor, compressorNames } from './compression/names.ts'
export { type DataType, type DataTypes, tfDataTypes, torchDataTypes, type ValueField } from './data-type.ts'
export { DecodeError } from './decode-error.ts'
export {
  type EasyrecFeature,
  type EasyrecRequest,
  type EasyrecResponse,
  easyrecPredict,
  easyrecStatus,
} from './easyrec-predict.ts'
export type { EasRequest, EasRequestHead, EasResponse } from './http.ts'
export type { FeatureKind, FeatureValues, PBFeature } from './pb-feature.ts'
export { type PBLogData, pbLogData } from './pb-log-data.ts'
export { type TfPredictRequest, type TfPredictResponse, tfPredict } from './tf-predict.ts'
export { type TorchPredictRequest, type TorchPredictResponse, torchPredict } from './torch-predict.ts'
export { type TorchrecRequest, type TorchrecResponse, torchrecPredict } from './torchrec-predict.ts'
