/**
 * Argument lists of 1212 torch operators: the union of torch 2.13.0 and 1.13.1 and of older forms.
 * Made by test/differential/torch/schemas.py; the format is described in README.md beside this file.
 * Facts from torch (BSD-3-Clause), aten/src/ATen/native/native_functions.yaml and its registrations.
 */
// biome-ignore format: one line per operator
export const schemaText = `
Bool Tensor T:a;int i:a;float f:a
Complex Scalar n:a;Tensor_Tensor T:a T:b;int_bool i:x b:y;bool_int b:x i:y;float_bool f:x b:y;bool_float b:x f:y;float_int f:x i:y;int_float i:x f:y;int_int i:x i:y;bool_bool b:x b:y;float_float f:x f:y;Tensor_float T:x f:y;float_Tensor f:x T:y;Tensor_int T:x i:y;int_Tensor i:x T:y;Tensor_bool T:x b:y;bool_Tensor b:x T:y
ComplexImplicit - T:a
Delete t v[]:self i:idx;Dict_str m:self s:key;Dict_int m:self i:key;Dict_bool m:self b:key;Dict_float m:self f:key;Dict_complex m:self c:key;Dict_Tensor m:self T:key
Float Tensor T:a;Scalar n:a;int i:a;bool b:a;str s:a
FloatImplicit - T:a
Generator - * d?:device=None i?:seed=None
Int Tensor T:a;bool b:a;float f:a;Scalar n:a;str s:a
IntImplicit - T:a
ScalarImplicit - T:a
Size - i[]:sizes
__and__ Scalar T:self n:other;Tensor T:self T:other;bool b:a b:b;int i:a i:b
__contains__ int_list i[]:l i:item;str_list s[]:l s:item;str m:dict s:key;int m:dict i:key;bool m:dict b:key;float m:dict f:key;complex m:dict c:key;Tensor m:dict T:key;float_list f[]:l f:item
__derive_index - i:index i:start i:step
__getitem__ t v[]:list i:idx;str s:s i:index;Dict_str m:self s:key;Dict_int m:self i:key;Dict_bool m:self b:key;Dict_float m:self f:key;Dict_complex m:self c:key;Dict_Tensor m:self T:key
__iand__ Tensor T:self T:other;Scalar T:self n:other
__ilshift__ Tensor T:self T:other;Scalar T:self n:other
__interpolate scale_list T:input i?:size=None f[]?:scale_factor=None s:mode="nearest" b?:align_corners=None b?:recompute_scale_factor=None b:antialias=False;size_list_scale_list T:input i[]?:size=None f[]?:scale_factor=None s:mode="nearest" b?:align_corners=None b?:recompute_scale_factor=None b:antialias=False;- T:input i?:size=None f?:scale_factor=None s:mode="nearest" b?:align_corners=None b?:recompute_scale_factor=None b:antialias=False;size_list T:input i[]?:size=None f?:scale_factor=None s:mode="nearest" b?:align_corners=None b?:recompute_scale_factor=None b:antialias=False
__ior__ Tensor T:self T:other;Scalar T:self n:other
__irshift__ Tensor T:self T:other;Scalar T:self n:other
__is__ - v:self v:obj
__isnot__ - v:self v:obj
__ixor__ Tensor T:self T:other;Scalar T:self n:other
__lshift__ Tensor T:self T:other;Scalar T:self n:other;int i:a i:b
__not__ - b:self
__or__ Tensor T:self T:other;Scalar T:self n:other;bool b:a b:b;int i:a i:b
__range_length - i:lo i:hi i:step
__round_to_zero_floordiv int i:a i:b
__rshift__ Tensor T:self T:other;Scalar T:self n:other;int i:a i:b
__upsample - T:input i?:size=None i?:scale_factor=None s:mode="nearest" b?:align_corners=None;size_list T:input i[]?:size=None i?:scale_factor=None s:mode="nearest" b?:align_corners=None
__upsample_bilinear - T:input i?:size=None i?:scale_factor=None;size_list T:input i[]?:size=None i?:scale_factor=None;scale_list T:input i?:size=None i[]?:scale_factor=None;size_list_scale_list T:input i[]?:size=None i[]?:scale_factor=None
__upsample_nearest - T:input i?:size=None i?:scale_factor=None;size_list T:input i[]?:size=None i?:scale_factor=None
__xor__ Tensor T:self T:other;Scalar T:self n:other;bool b:a b:b;int i:a i:b
_adaptive_avg_pool2d - T:self i[]:output_size
_adaptive_avg_pool3d - T:self i[]:output_size
_add_batch_dim - T:self i:batch_dim i:level
_addmm_activation - T:self T:mat1 T:mat2 * n:beta=1 n:alpha=1 b:use_gelu=False
_aminmax - T:self;dim T:self i:dim b:keepdim=False
_amp_foreach_non_finite_check_and_unscale - T[]:self T:found_inf T:inv_scale
_amp_foreach_non_finite_check_and_unscale_ - T[]:self T:found_inf T:inv_scale
_amp_update_scale - T:self T:growth_tracker T:found_inf f:scale_growth_factor f:scale_backoff_factor i:growth_interval
_amp_update_scale_ - T:self T:growth_tracker T:found_inf f:scale_growth_factor f:scale_backoff_factor i:growth_interval
_autocast_to_full_precision - T:self b:cuda_enabled b:cpu_enabled
_autocast_to_reduced_precision - T:self b:cuda_enabled b:cpu_enabled i:cuda_dtype i:cpu_dtype
_bmm v1 T:self T:mat2 * b:deterministic=False
_cast_Byte - T:self b:non_blocking=False
_cast_Char - T:self b:non_blocking=False
_cast_Double - T:self b:non_blocking=False
_cast_Float - T:self b:non_blocking=False
_cast_Half - T:self b:non_blocking=False
_cast_Int - T:self b:non_blocking=False
_cast_Long - T:self b:non_blocking=False
_cast_Short - T:self b:non_blocking=False
_cat v1 T[]:tensors i:dim=0
_cdist_forward - T:x1 T:x2 f:p i?:compute_mode
_cholesky_solve_helper - T:self T:A b:upper
_choose_qparams_per_tensor - T:self b:reduce_range=False
_conj - T:self
_conv_depthwise2d - T:self T:weight i[]:kernel_size T?:bias i[]:stride i[]:padding i[]:dilation
_convert_weight_to_int4pack - T:self i:innerKTiles
_convolution deprecated T:input T:weight T?:bias i[]:stride i[]:padding i[]:dilation b:transposed i[]:output_padding i:groups b:benchmark b:deterministic b:cudnn_enabled;- T:input T:weight T?:bias i[]:stride i[]:padding i[]:dilation b:transposed i[]:output_padding i:groups b:benchmark b:deterministic b:cudnn_enabled b:allow_tf32
_convolution_mode - T:input T:weight T?:bias i[]:stride s:padding i[]:dilation i:groups
_cufft_clear_plan_cache - i:device_index
_cufft_get_plan_cache_max_size - i:device_index
_cufft_get_plan_cache_size - i:device_index
_cufft_set_plan_cache_max_size - i:device_index i:max_size
_debug_has_internal_overlap - T:self
_dimI - T:self
_dimV - T:self
_dim_arange - T:like i:dim
_efficientzerotensor - i[]:size * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
_embedding_bag - T:weight T:indices T:offsets b:scale_grad_by_freq=False i:mode=0 b:sparse=False T?:per_sample_weights=None b:include_last_offset=False i:padding_idx=-1
_embedding_bag_forward_only - T:weight T:indices T:offsets b:scale_grad_by_freq=False i:mode=0 b:sparse=False T?:per_sample_weights=None b:include_last_offset=False i:padding_idx=-1
_empty_affine_quantized - i[]:size * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None f:scale=1.0 i:zero_point=0 i?:memory_format=0
_empty_per_channel_affine_quantized - i[]:size * T:scales T:zero_points i:axis i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=0
_euclidean_dist - T:x1 T:x2
_fft_c2c - T:self i[]:dim i:normalization b:forward
_fft_c2r - T:self i[]:dim i:normalization i:last_dim_size
_fft_r2c - T:self i[]:dim i:normalization b:onesided
_flash_scaled_dot_product_attention - T:query T:key T:value T:cum_seq_q T:cum_seq_k i:max_q i:max_k f:dropout_p b:is_causal
_fused_dropout - T:self f:p g?:generator=None
_fused_moving_avg_obs_fq_helper - T:self T:observer_on T:fake_quant_on T:running_min T:running_max T:scale T:zero_point f:averaging_const i:quant_min i:quant_max i:ch_axis b:per_row_fake_quant=False b:symmetric_quant=False
_fused_moving_avg_obs_fq_helper_functional - T:self T:observer_on T:fake_quant_on T:running_min T:running_max T:scale T:zero_point f:averaging_const i:quant_min i:quant_max i:ch_axis b:per_row_fake_quant=False b:symmetric_quant=False
_fused_rms_norm - T:input i[]:normalized_shape T?:weight f?:eps
_fused_sdp_choice - T:query T:key T:value T?:attn_mask=None f:dropout_p=0.0 b:is_causal=False * f?:scale=None b:enable_gqa=False
_get_cpu_capability -
_get_tracing_state -
_grad_sum_to_size - T:self i[]?:size
_grid_sampler_2d_cpu_fallback - T:input T:grid i:interpolation_mode i:padding_mode b:align_corners
_grouped_mm - T:self T:mat2 T?:offs=None T?:bias=None i?:out_dtype=None
_index_put_impl - T:self T?[]:indices T:values b:accumulate=False b:unsafe=False
_index_put_impl_ - T:self T?[]:indices T:values b:accumulate=False b:unsafe=False;hacked_twin T:self T[]:indices T:values b:accumulate=False b:unsafe=False
_infer_size - i[]:a i[]:b
_is_all_true - T:self
_is_any_true - T:self
_is_zerotensor - T:self
_list_to_tensor - i[]:self
_local_scalar_dense - T:self
_log_softmax - T:self i:dim b:half_to_float
_logcumsumexp - T:self i:dim
_lstm_mps - T:input T[]:hx T[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional b:batch_first
_masked_scale - T:self T:mask f:scale
_masked_softmax - T:self T:mask i?:dim=None i?:mask_type=None
_native_batch_norm_legit - T:input T?:weight T?:bias T:running_mean T:running_var b:training f:momentum f:eps;no_stats T:input T?:weight T?:bias b:training f:momentum f:eps
_native_batch_norm_legit_functional - T:input T?:weight T?:bias T:running_mean T:running_var b:training f:momentum f:eps
_native_batch_norm_legit_no_training - T:input T?:weight T?:bias T:running_mean T:running_var f:momentum f:eps
_native_decoder_only_multi_head_attention - T:query T:key T:value i:embed_dim i:num_head T:qkv_weight T:qkv_bias T:proj_weight T:proj_bias T?:mask=None T?:incr_key=None T?:incr_value=None b:need_weights=True b:average_attn_weights=True
_native_multi_head_attention - T:query T:key T:value i:embed_dim i:num_head T:qkv_weight T:qkv_bias T:proj_weight T:proj_bias T?:mask=None b:need_weights=True b:average_attn_weights=True i?:mask_type=None
_ncf_unsqueeze - T:self i:ndim
_ncf_view - T:self i[]:input_shape i:normalized_ndim
_new_zeros_with_same_feature_meta - T:self T:other * i:self_num_batch_dims=0
_nnz - T:self
_no_grad_embedding_renorm_ - T:weight T:input f:max_norm f:norm_type
_no_grad_fill_ - T:tensor f:val
_no_grad_normal_ - T:tensor f:mean f:std g?:generator=None;- T:tensor f:mean f:std
_no_grad_uniform_ - T:tensor f:a f:b g?:generator=None;- T:tensor f:a f:b
_no_grad_zero_ - T:tensor
_pack_padded_sequence - T:input T:lengths b:batch_first
_pack_sequence - T:output T:batch_sizes T?:sorted_indices T?:unsorted_indices
_pad_circular - T:self i[]:pad
_pad_enum - T:self i[]:pad i:mode f?:value=None
_pad_packed_sequence - T:data T:batch_sizes b:batch_first n:padding_value i:total_length
_pdist_forward - T:self f:p=2.0
_philox_key_fold_in - T:key i:data
_philox_key_split - T:key i:num_splits
_philox_normal - T:self T:key f:mean=0.0 f:std=1.0
_philox_normal_ - T:self T:key f:mean=0.0 f:std=1.0
_philox_uniform - T:self T:key f:low=0.0 f:high=1.0
_philox_uniform_ - T:self T:key f:low=0.0 f:high=1.0
_prelu_kernel - T:self T:weight
_remove_batch_dim - T:self i:level i:batch_size i:out_dim
_reshape_alias - T:self i[]:size i[]:stride
_reshape_from_tensor - T:self T:shape
_s_where v1 T:condition T:self T:other
_safe_softmax - T:self i:dim i?:dtype=None
_saturate_weight_to_fp16 - T:weight
_scaled_dot_product_attention_math - T:query T:key T:value T?:attn_mask=None f:dropout_p=0.0 b:is_causal=False T?:dropout_mask=None * f?:scale=None b:enable_gqa=False;- T:query T:key T:value T?:attn_mask=None f:dropout_p=0.0 b:need_attn_weights=False b:is_causal=False
_scaled_dot_product_efficient_attention - T:query T:key T:value T?:attn_bias b:compute_log_sumexp f:dropout_p=0.0 b:is_causal=False * f?:scale=None
_scaled_dot_product_flash_attention_for_cpu - T:query T:key T:value f:dropout_p=0.0 b:is_causal=False * T?:attn_mask=None f?:scale=None
_set_item t v[]:l i:idx v:el;str m:l s:idx v:v;int m:l i:idx v:v;bool m:l b:idx v:v;float m:l f:idx v:v;complex m:l c:idx v:v;Tensor m:l T:idx v:v
_size_if_not_equal - i[]:self_size i[]:other_size
_softmax - T:self i:dim b:half_to_float
_stack - T[]:tensors i:dim=0
_symeig_helper - T:self b:eigenvectors b:upper
_tensor_to_list - T:self
_to_copy - T:self * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None b:non_blocking=False i?:memory_format=None
_to_cpu - T[]:tensors
_to_dense - T:self i?:dtype=None b?:masked_grad=None;- T:self i?:dtype=None
_torch_cuda_cu_linker_symbol_op - T:self
_transformer_decoder_only_layer_fwd - T:src i:embed_dim i:num_heads T:qkv_weight T:qkv_bias T:proj_weight T:proj_bias b:use_gelu b:norm_first f:eps T:norm_weight_1 T:norm_bias_1 T:norm_weight_2 T:norm_bias_2 T:ffn_weight_1 T:ffn_bias_1 T:ffn_weight_2 T:ffn_bias_2 T?:mask=None T?:incr_key=None T?:incr_value=None
_transformer_encoder_layer_fwd - T:src i:embed_dim i:num_heads T:qkv_weight T:qkv_bias T:proj_weight T:proj_bias b:use_gelu b:norm_first f:eps T:norm_weight_1 T:norm_bias_1 T:norm_weight_2 T:norm_bias_2 T:ffn_weight_1 T:ffn_bias_1 T:ffn_weight_2 T:ffn_bias_2 T?:mask=None i?:mask_type=None
_unique - T:self b:sorted=True b:return_inverse=False
_unique2 - T:self b:sorted=True b:return_inverse=False b:return_counts=False
_unsafe_index Tensor T:self T?[]:indices;Tensor_hacked_twin T:self T[]:indices
_unsafe_index_put - T:self T?[]:indices T:values b:accumulate=False;hacked_twin T:self T[]:indices T:values b:accumulate=False
_unsafe_view - T:self i[]:size
_unwrap_optional - v?:optional
_upsample_bicubic2d_aa - T:self i[]:output_size b:align_corners f?:scales_h=None f?:scales_w=None;vec T:input i[]?:output_size b:align_corners f[]?:scale_factors
_upsample_bilinear2d_aa - T:self i[]:output_size b:align_corners f?:scales_h=None f?:scales_w=None;vec T:input i[]?:output_size b:align_corners f[]?:scale_factors
_upsample_lanczos2d_aa - T:self i[]:output_size b:align_corners f?:scales_h=None f?:scales_w=None;vec T:input i[]?:output_size b:align_corners f[]?:scale_factors
_upsample_nearest_exact1d - T:self i[]:output_size f?:scales=None;vec T:input i[]?:output_size f[]?:scale_factors
_upsample_nearest_exact2d - T:self i[]:output_size f?:scales_h=None f?:scales_w=None;vec T:input i[]?:output_size f[]?:scale_factors
_upsample_nearest_exact3d - T:self i[]:output_size f?:scales_d=None f?:scales_h=None f?:scales_w=None;vec T:input i[]?:output_size f[]?:scale_factors
_weight_int8pack_mm - T:self T:mat2 T:scales
_weight_norm - T:v T:g i:dim=0
_weight_norm_interface - T:v T:g i:dim=0
abs - T:self
abs_ - T:self
absolute - T:self
absolute_ - T:self
acos - T:self;int i:a;float f:a;complex c:a;Scalar n:a
acos_ - T:self
acosh - T:self;int i:a;float f:a;complex c:a;Scalar n:a
acosh_ - T:self
adaptive_avg_pool1d - T:self i[]:output_size
adaptive_avg_pool2d - T:self i[]:output_size
adaptive_avg_pool3d - T:self i[]:output_size
adaptive_max_pool1d - T:self i[]:output_size
adaptive_max_pool2d - T:self i[]:output_size
adaptive_max_pool3d - T:self i[]:output_size
add Tensor T:self T:other * n:alpha=1;Scalar T:self n:other n:alpha=1;t v[]:a v[]:b;str s:a s:b;int i:a i:b;complex c:a c:b;float f:a f:b;int_complex i:a c:b;complex_int c:a i:b;float_complex f:a c:b;complex_float c:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b
add_ Tensor T:self T:other * n:alpha=1;Scalar T:self n:other n:alpha=1;t v[]:self v[]:b
addbmm - T:self T:batch1 T:batch2 * n:beta=1 n:alpha=1
addbmm_ - T:self T:batch1 T:batch2 * n:beta=1 n:alpha=1
addcdiv - T:self T:tensor1 T:tensor2 * n:value=1
addcdiv_ - T:self T:tensor1 T:tensor2 * n:value=1
addcmul - T:self T:tensor1 T:tensor2 * n:value=1
addcmul_ - T:self T:tensor1 T:tensor2 * n:value=1
addmm - T:self T:mat1 T:mat2 * n:beta=1 n:alpha=1;dtype T:self T:mat1 T:mat2 i:out_dtype * n:beta=1 n:alpha=1
addmm_ - T:self T:mat1 T:mat2 * n:beta=1 n:alpha=1
addmv - T:self T:mat T:vec * n:beta=1 n:alpha=1
addmv_ - T:self T:mat T:vec * n:beta=1 n:alpha=1
addr - T:self T:vec1 T:vec2 * n:beta=1 n:alpha=1
addr_ - T:self T:vec1 T:vec2 * n:beta=1 n:alpha=1
adjoint - T:self
affine_grid_generator - T:theta i[]:size b:align_corners
alias - T:self
all - T:self;dim T:self i:dim b:keepdim=False;dims T:self i[]?:dim=None b:keepdim=False;int i[]:self;float f[]:self;bool b[]:self;dimname T:self s:dim b:keepdim=False
allclose - T:self T:other f:rtol=1e-05 f:atol=1e-08 b:equal_nan=False
alpha_dropout - T:input f:p b:train
alpha_dropout_ - T:self f:p b:train
amax - T:self i[]:dim=[] b:keepdim=False
amin - T:self i[]:dim=[] b:keepdim=False
aminmax - T:self * i?:dim=None b:keepdim=False
angle - T:self;int i:a;float f:a;complex c:a;Scalar n:a
any - T:self;dim T:self i:dim b:keepdim=False;dims T:self i[]?:dim=None b:keepdim=False;str s[]:self;int i[]:self;float f[]:self;bool b[]:self;dimname T:self s:dim b:keepdim=False
append t v[]:self v:el
arange - n:end * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;start n:start n:end * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;start_step n:start n:end n:step=1 * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
arccos - T:self
arccos_ - T:self
arccosh - T:self
arccosh_ - T:self
arcsin - T:self
arcsin_ - T:self
arcsinh - T:self
arcsinh_ - T:self
arctan - T:self
arctan2 - T:self T:other
arctan2_ - T:self T:other
arctan_ - T:self
arctanh - T:self
arctanh_ - T:self
argmax - T:self i?:dim=None b:keepdim=False
argmin - T:self i?:dim=None b:keepdim=False
argsort - T:self i:dim=-1 b:descending=False;stable T:self * b:stable i:dim=-1 b:descending=False;dimname T:self s:dim b:descending=False
argwhere - T:self
as_strided - T:self i[]:size i[]:stride i?:storage_offset=None
as_strided_ - T:self i[]:size i[]:stride i?:storage_offset=None
as_tensor bool b:t * i?:dtype=None d?:device=None;float f:t * i?:dtype=None d?:device=None;int i:t * i?:dtype=None d?:device=None;complex c:t * i?:dtype=None d?:device=None;- T:data * i?:dtype=None d?:device=None;list v[]:data * i?:dtype=None d?:device=None
asin - T:self;int i:a;float f:a;complex c:a;Scalar n:a
asin_ - T:self
asinh - T:self;int i:a;float f:a;complex c:a;Scalar n:a
asinh_ - T:self
atan - T:self;int i:a;float f:a;complex c:a;Scalar n:a
atan2 - T:self T:other;int i:a i:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;Scalar_Scalar n:a n:b
atan2_ - T:self T:other
atan_ - T:self
atanh - T:self;int i:a;float f:a;complex c:a;Scalar n:a
atanh_ - T:self
atleast_1d - T:self;Sequence T[]:tensors
atleast_2d - T:self;Sequence T[]:tensors
atleast_3d - T:self;Sequence T[]:tensors
avg_pool1d - T:self i[]:kernel_size i[]:stride=[] i[]:padding=[0] b:ceil_mode=False b:count_include_pad=True
avg_pool2d - T:self i[]:kernel_size i[]:stride=[] i[]:padding=[0,0] b:ceil_mode=False b:count_include_pad=True i?:divisor_override=None;v1 T:self i[]:kernel_size i[]:stride=[] i[]:padding=0 b:ceil_mode=False b:count_include_pad=True
avg_pool3d - T:self i[]:kernel_size i[]:stride=[] i[]:padding=[0,0,0] b:ceil_mode=False b:count_include_pad=True i?:divisor_override=None
baddbmm - T:self T:batch1 T:batch2 * n:beta=1 n:alpha=1;dtype T:self T:batch1 T:batch2 i:out_dtype * n:beta=1 n:alpha=1
baddbmm_ - T:self T:batch1 T:batch2 * n:beta=1 n:alpha=1
bartlett_window - i:window_length * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;periodic i:window_length b:periodic * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
batch_norm - T:input T?:weight T?:bias T?:running_mean T?:running_var b:training f:momentum f:eps b:cudnn_enabled
bernoulli - T:self * g?:generator=None;p T:self f:p * g?:generator=None;Tensor T:self T:p * g?:generator=None
bernoulli_ Tensor T:self T:p * g?:generator=None;float T:self f:p=0.5 * g?:generator=None
bilinear - T:input1 T:input2 T:weight T?:bias=None
bin - i:i
binary_cross_entropy - T:self T:target T?:weight=None i:reduction=1
binary_cross_entropy_with_logits - T:self T:target T?:weight=None T?:pos_weight=None i:reduction=1
bincount - T:self T?:weights=None i:minlength=0
binomial - T:count T:prob g?:generator=None
bitwise_and Tensor T:self T:other;Scalar T:self n:other;Scalar_Tensor n:self T:other
bitwise_and_ Tensor T:self T:other;Scalar T:self n:other
bitwise_left_shift Tensor T:self T:other;Tensor_Scalar T:self n:other;Scalar_Tensor n:self T:other
bitwise_left_shift_ Tensor_Scalar T:self n:other;Tensor T:self T:other
bitwise_not - T:self
bitwise_not_ - T:self
bitwise_or Tensor T:self T:other;Scalar T:self n:other;Scalar_Tensor n:self T:other
bitwise_or_ Tensor T:self T:other;Scalar T:self n:other
bitwise_right_shift Tensor T:self T:other;Tensor_Scalar T:self n:other;Scalar_Tensor n:self T:other
bitwise_right_shift_ Tensor_Scalar T:self n:other;Tensor T:self T:other
bitwise_xor Tensor T:self T:other;Scalar T:self n:other;Scalar_Tensor n:self T:other
bitwise_xor_ Tensor T:self T:other;Scalar T:self n:other
blackman_window - i:window_length * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;periodic i:window_length b:periodic * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
block_diag - T[]:tensors
bmm - T:self T:mat2;dtype T:self T:mat2 i:out_dtype
broadcast_shapes - i[]:a i[]:b
broadcast_tensors - T[]:tensors
broadcast_to - T:self i[]:size
bucketize Tensor T:self T:boundaries * b:out_int32=False b:right=False;Scalar n:self T:boundaries * b:out_int32=False b:right=False
can_cast - i:from_ i:to;- i:from i:to
capitalize - s:self
cartesian_prod - T[]:tensors
cat - T[]:tensors i:dim=0;names T[]:tensors s:dim
cdist - T:x1 T:x2 f:p=2.0 i?:compute_mode=None
ceil - T:self;int i:a;float f:a;Scalar n:a
ceil_ - T:self
celu - T:self n:alpha=1.0
celu_ - T:self n:alpha=1.0
center - s:self i:width s:fillchar="\\u0020"
chain_matmul - T[]:matrices
chalf - T:self * i?:memory_format=None
channel_shuffle - T:self i:groups
cholesky - T:self b:upper=False
chr - i:i
chunk - T:self i:chunks i:dim=0
clamp - T:self n?:min=None n?:max=None;Tensor T:self T?:min=None T?:max=None
clamp_ - T:self n?:min=None n?:max=None;Tensor T:self T?:min=None T?:max=None
clamp_max - T:self n:max;Tensor T:self T:max
clamp_max_ - T:self n:max;Tensor T:self T:max
clamp_min - T:self n:min;Tensor T:self T:min
clamp_min_ - T:self n:min;Tensor T:self T:min
clear t v[]:self;str m:self
clip - T:self n?:min=None n?:max=None;Tensor T:self T?:min=None T?:max=None
clip_ - T:self n?:min=None n?:max=None;Tensor T:self T?:min=None T?:max=None
clone - T:self * i?:memory_format=None
coalesce - T:self
col2im - T:self i[]:output_size i[]:kernel_size i[]:dilation i[]:padding i[]:stride
column_stack - T[]:tensors
combinations - T:self i:r=2 b:with_replacement=False
complex - T:real T:imag
concat - T[]:tensors i:dim=0;names T[]:tensors s:dim
concatenate - T[]:tensors i:dim=0;names T[]:tensors s:dim
confirmed_by_owner - o:self
conj - T:self
conj_physical - T:self
conj_physical_ - T:self
constant_pad_nd - T:self i[]:pad n:value=0
contiguous - T:self * i:memory_format=0
conv1d - T:input T:weight T?:bias=None i[]:stride=[1] i[]:padding=[0] i[]:dilation=[1] i:groups=1;padding T:input T:weight T?:bias=None i[]:stride=[1] s:padding="valid" i[]:dilation=[1] i:groups=1
conv2d - T:input T:weight T?:bias=None i[]:stride=[1,1] i[]:padding=[0,0] i[]:dilation=[1,1] i:groups=1;padding T:input T:weight T?:bias=None i[]:stride=[1,1] s:padding="valid" i[]:dilation=[1,1] i:groups=1
conv3d - T:input T:weight T?:bias=None i[]:stride=[1,1,1] i[]:padding=[0,0,0] i[]:dilation=[1,1,1] i:groups=1;padding T:input T:weight T?:bias=None i[]:stride=[1,1,1] s:padding="valid" i[]:dilation=[1,1,1] i:groups=1
conv_depthwise3d - T:self T:weight i[]:kernel_size T?:bias i[]:stride i[]:padding i[]:dilation
conv_tbc - T:self T:weight T:bias i:pad=0
conv_transpose1d - T:input T:weight T?:bias=None i[]:stride=[1] i[]:padding=[0] i[]:output_padding=[0] i:groups=1 i[]:dilation=[1]
conv_transpose2d input T:input T:weight T?:bias=None i[]:stride=[1,1] i[]:padding=[0,0] i[]:output_padding=[0,0] i:groups=1 i[]:dilation=[1,1]
conv_transpose3d input T:input T:weight T?:bias=None i[]:stride=[1,1,1] i[]:padding=[0,0,0] i[]:output_padding=[0,0,0] i:groups=1 i[]:dilation=[1,1,1]
convolution - T:input T:weight T?:bias i[]:stride i[]:padding i[]:dilation b:transposed i[]:output_padding i:groups
convolution_overrideable - T:input T:weight T?:bias i[]:stride i[]:padding i[]:dilation b:transposed i[]:output_padding i:groups
copy - T:self T:src b:non_blocking=False;t v[]:self;Dict_str m:self
copy_ - T:self T:src b:non_blocking=False;Tensor T:self T:other;int T:self i:other;float T:self f:other
copy_sparse_to_sparse - T:self T:src b:non_blocking=False
copy_sparse_to_sparse_ - T:self T:src b:non_blocking=False
copysign Tensor T:self T:other;Scalar T:self n:other;int i:a i:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b
copysign_ Tensor T:self T:other;Scalar T:self n:other
corrcoef - T:self
cos - T:self;int i:a;float f:a;complex c:a;Scalar n:a
cos_ - T:self
cosh - T:self;int i:a;float f:a;complex c:a;Scalar n:a
cosh_ - T:self
cosine_embedding_loss - T:input1 T:input2 T:target f:margin=0.0 i:reduction=1
cosine_similarity - T:x1 T:x2 i:dim=1 f:eps=1e-08
count - s:self s:substr i:start=0 i:end=-1;int i[]:self i:el;float f[]:self f:el;bool b[]:self b:el;Tensor T[]:self T:el;str s[]:self s:el
count_nonzero - T:self i?:dim=None;dim_IntList T:self i[]:dim
cov - T:self * i:correction=1 T?:fweights=None T?:aweights=None
cpu - T:self
cross - T:self T:other i?:dim=None
cross_entropy_loss - T:self T:target T?:weight=None i:reduction=1 i:ignore_index=-100 f:label_smoothing=0.0
cuda - T:self
cummax - T:self i:dim;dimname T:self s:dim
cummin - T:self i:dim;dimname T:self s:dim
cumprod - T:self i:dim * i?:dtype=None;dimname T:self s:dim * i?:dtype=None
cumprod_ - T:self i:dim * i?:dtype=None;dimname T:self s:dim * i?:dtype=None
cumsum - T:self i:dim * i?:dtype=None;dimname T:self s:dim * i?:dtype=None
cumsum_ - T:self i:dim * i?:dtype=None;dimname T:self s:dim * i?:dtype=None
cumulative_trapezoid x T:y T:x * i:dim=-1;dx T:y * n:dx=1 i:dim=-1
data - T:self
deg2rad - T:self
deg2rad_ - T:self
degrees int i:a;float f:a;Scalar n:a
dense_dim - T:self
dequantize self T:self;tensors T[]:tensors;tensor T:qtensor;list T[]:qtensors;any a:tensors
det - T:self
detach - T:self
detach_ - T:self
detach_copy - T:self
device - s:a;with_index s:type i:index
diag - T:self i:diagonal=0
diag_embed - T:self i:offset=0 i:dim1=-2 i:dim2=-1
diagflat - T:self i:offset=0
diagonal - T:self i:offset=0 i:dim1=0 i:dim2=1;Dimname T:self * s:outdim s:dim1 s:dim2 i:offset=0
diagonal_scatter - T:self T:src i:offset=0 i:dim1=0 i:dim2=1
dict -;str m[]:inputs;Dict_str m:self
diff - T:self i:n=1 i:dim=-1 T?:prepend=None T?:append=None
digamma - T:self
digamma_ - T:self
dim - T:self
dist - T:self T:other n:p=2
div Tensor T:self T:other;Scalar T:self n:other;Tensor_mode T:self T:other * s?:rounding_mode;Scalar_mode T:self n:other * s?:rounding_mode;int i:a i:b;complex c:a c:b;float f:a f:b;- n:a n:b
div_ Tensor T:self T:other;Tensor_mode T:self T:other * s?:rounding_mode;Scalar T:self n:other;Scalar_mode T:self n:other * s?:rounding_mode
divide Tensor T:self T:other;Scalar T:self n:other;Tensor_mode T:self T:other * s?:rounding_mode;Scalar_mode T:self n:other * s?:rounding_mode
divide_ Tensor T:self T:other;Tensor_mode T:self T:other * s?:rounding_mode;Scalar_mode T:self n:other * s?:rounding_mode;Scalar T:self n:other
divmod int i:x i:y;float f:x f:y;int_float i:x f:y;float_int f:x i:y
dot - T:self T:tensor
dropout - T:input f:p b:train
dropout_ - T:self f:p b:train
dsplit int T:self i:sections;array T:self i[]:indices
dstack - T[]:tensors
einsum - s:equation T[]:tensors * i[]?:path=None;sublist T:a
element_size - T:self
elu - T:self n:alpha=1 n:scale=1 n:input_scale=1
elu_ - T:self n:alpha=1 n:scale=1 n:input_scale=1
embedding - T:weight T:indices i:padding_idx=-1 b:scale_grad_by_freq=False b:sparse=False
embedding_bag - T:weight T:indices T:offsets b:scale_grad_by_freq=False i:mode=0 b:sparse=False T?:per_sample_weights=None b:include_last_offset=False;padding_idx T:weight T:indices T:offsets b:scale_grad_by_freq i:mode b:sparse T?:per_sample_weights b:include_last_offset i?:padding_idx;v1 T:weight T:indices T:offsets b:scale_grad_by_freq=False i:mode=0 b:sparse=False T?:per_sample_weights=None
embedding_renorm - T:self T:indices f:max_norm f:norm_type
embedding_renorm_ - T:self T:indices f:max_norm f:norm_type
empty memory_format i[]:size * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None;names i[]:size * s[]?:names i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None
empty_like - T:self * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None
empty_permuted - i[]:size i[]:physical_layout * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
empty_quantized - i[]:size T:qtensor * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None
empty_strided - i[]:size i[]:stride * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
endswith - s:self s:substr i:start=0 i:end=-1
eq Tensor T:self T:other;Scalar T:self n:other;int_list i[]:a i[]:b;device d:a d:b;bool b:a b:b;enum e:a e:b;int i:a i:b;complex c:a c:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;float_complex f:a c:b;complex_float c:a f:b;- n:a n:b;str s:a s:b;float_list f[]:a f[]:b;Tensor_list T[]:a T[]:b;bool_list b[]:a b[]:b;str_list s[]:a s[]:b
eq_ Scalar T:self n:other;Tensor T:self T:other
equal - T:self T:other
erf - T:self;int i:a;float f:a;Scalar n:a
erf_ - T:self
erfc - T:self;int i:a;float f:a;Scalar n:a
erfc_ - T:self
erfinv - T:self
erfinv_ - T:self
exp - T:self;int i:a;float f:a;complex c:a;Scalar n:a
exp2 - T:self
exp2_ - T:self
exp_ - T:self
expand - T:self i[]:size * b:implicit=False
expand_as - T:self T:other
expand_copy - T:self i[]:size * b:implicit=False
expandtabs - s:self i:tabsize=8
expm1 - T:self;int i:a;float f:a;Scalar n:a
expm1_ - T:self
exponential_ - T:self f:lambd=1.0 * g?:generator=None
extend t v[]:self v[]:other
eye - i:n * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;m i:n i:m * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
fabs int i:a;float f:a;Scalar n:a
factorial int i:a
fake_quantize_per_channel_affine - T:self T:scale T:zero_point i:axis i:quant_min i:quant_max
fake_quantize_per_tensor_affine - T:self f:scale i:zero_point i:quant_min i:quant_max;tensor_qparams T:self T:scale T:zero_point i:quant_min i:quant_max
fbgemm::asynchronous_complete_cumsum - T:t_in
fbgemm::asynchronous_exclusive_cumsum - T:t_in
fbgemm::asynchronous_inclusive_cumsum - T:t_in
fbgemm::bounds_check_indices - T:rows_per_table T:indices T:offsets i:bounds_check_mode T:warning T?:weights=None T?:B_offsets=None i:max_B=-1 T?:b_t_map=None i:info_B_num_bits=-1 i:info_B_mask=-1 i:bounds_check_version=1 b:prefetch_pipeline=False
fbgemm::group_index_select_dim0 - T[]:input_group T[]:indices_group
fbgemm::int_nbit_split_embedding_codegen_lookup_function - T:dev_weights T:uvm_weights T:weights_placements T:weights_offsets T:weights_tys T:D_offsets i:total_D i:max_int2_D i:max_int4_D i:max_int8_D i:max_float16_D i:max_float32_D T:indices T:offsets i:pooling_mode T?:indice_weights i:output_dtype=1 T?:lxu_cache_weights=None T?:lxu_cache_locations=None i?:row_alignment=None i?:max_float8_D=0 i?:fp8_exponent_bits=-1 i?:fp8_exponent_bias=-1
fbgemm::jagged_to_padded_dense - T:values T[]:offsets i[]:max_lengths f:padding_value=0.0
fbgemm::permute_1D_sparse_data - T:permute T:lengths T:values T?:weights=None i?:permuted_lengths_sum=None
fbgemm::permute_2D_sparse_data - T:permute T:lengths T:values T?:weights=None i?:permuted_lengths_sum=None
fbgemm::segment_sum_csr - i:batch_size T:csr_seg T:values
fbgemm_linear_fp16_weight - T:input T:packed_weight T:bias
fbgemm_linear_fp16_weight_fp32_activation - T:input T:packed_weight T?:bias;- T:input T:packed_weight T:bias
fbgemm_pack_gemm_matrix_fp16 - T:input
feature_alpha_dropout - T:input f:p b:train
feature_alpha_dropout_ - T:self f:p b:train
feature_dropout - T:input f:p b:train
feature_dropout_ - T:self f:p b:train
fft v1 T:self i:signal_ndim b:normalized=False
fft_fft - T:self i?:n=None i:dim=-1 s?:norm=None
fft_fft2 - T:self i[]?:s=None i[]:dim=[-2,-1] s?:norm=None
fft_fftfreq - i:n f:d=1.0 * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
fft_fftn - T:self i[]?:s=None i[]?:dim=None s?:norm=None
fft_fftshift - T:self i[]?:dim=None
fft_hfft - T:self i?:n=None i:dim=-1 s?:norm=None
fft_hfft2 - T:self i[]?:s=None i[]:dim=[-2,-1] s?:norm=None
fft_hfftn - T:self i[]?:s=None i[]?:dim=None s?:norm=None
fft_ifft - T:self i?:n=None i:dim=-1 s?:norm=None
fft_ifft2 - T:self i[]?:s=None i[]:dim=[-2,-1] s?:norm=None
fft_ifftn - T:self i[]?:s=None i[]?:dim=None s?:norm=None
fft_ifftshift - T:self i[]?:dim=None
fft_ihfft - T:self i?:n=None i:dim=-1 s?:norm=None
fft_ihfft2 - T:self i[]?:s=None i[]:dim=[-2,-1] s?:norm=None
fft_ihfftn - T:self i[]?:s=None i[]?:dim=None s?:norm=None
fft_irfft - T:self i?:n=None i:dim=-1 s?:norm=None
fft_irfft2 - T:self i[]?:s=None i[]:dim=[-2,-1] s?:norm=None
fft_irfftn - T:self i[]?:s=None i[]?:dim=None s?:norm=None
fft_rfft - T:self i?:n=None i:dim=-1 s?:norm=None
fft_rfft2 - T:self i[]?:s=None i[]:dim=[-2,-1] s?:norm=None
fft_rfftfreq - i:n f:d=1.0 * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
fft_rfftn - T:self i[]?:s=None i[]?:dim=None s?:norm=None
fill Scalar T:self n:value;Tensor T:self T:value
fill_ Scalar T:self n:value;Tensor T:self T:value
fill_diagonal_ - T:self n:fill_value b:wrap=False
find - s:self s:substr i:start=0 i:end=-1
fix - T:self
fix_ - T:self
flatten using_ints T:self i:start_dim=0 i:end_dim=-1;DimnameList T:self s[]:dims s:out_dim;named_out_dim T:self i:start_dim i:end_dim s:out_dim;using_names T:self s:start_dim s:end_dim s:out_dim
flatten_dense_tensors - T[]:tensors
flip - T:self i[]:dims
fliplr - T:self
flipud - T:self
float_power Tensor_Tensor T:self T:exponent;Tensor_Scalar T:self n:exponent;Scalar n:self T:exponent
float_power_ Tensor T:self T:exponent;Scalar T:self n:exponent
floor - T:self;int i:a;float f:a;Scalar n:a
floor_ - T:self
floor_divide - T:self T:other;Scalar T:self n:other
floor_divide_ Tensor T:self T:other;Scalar T:self n:other
floordiv int i:a i:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b
fmax - T:self T:other
fmin - T:self T:other
fmod Tensor T:self T:other;Scalar T:self n:other;int i:a i:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b
fmod_ Tensor T:self T:other;Scalar T:self n:other
format - s:self
frac - T:self
frac_ - T:self
fractional_max_pool2d - T:self i[]:kernel_size i[]:output_size T:random_samples
fractional_max_pool3d - T:self i[]:kernel_size i[]:output_size T:random_samples
frexp Tensor T:self;- f:a
frobenius_norm dim T:self i[]:dim b:keepdim=False;- T:self
from_file - s:filename b?:shared=None i?:size=0 * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
full - i[]:size n:fill_value * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;names i[]:size n:fill_value * s[]?:names i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
full_like - T:self n:fill_value * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None
gamma int i:a;float f:a;Scalar n:a
gather - T:self i:dim T:index * b:sparse_grad=False;dimname T:self s:dim T:index * b:sparse_grad=False
gcd - T:self T:other;int i:a i:b
gcd_ - T:self T:other
ge Tensor T:self T:other;Scalar T:self n:other;int i:a i:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b;str s:a s:b
ge_ Scalar T:self n:other;Tensor T:self T:other
gelu - T:self * s:approximate="none"
gelu_ - T:self * s:approximate="none"
ger - T:self T:vec2
get str m:self s:key;default_str m:self s:key v:default_value;int m:self i:key;default_int m:self i:key v:default_value;bool m:self b:key;default_bool m:self b:key v:default_value;float m:self f:key;default_float m:self f:key v:default_value;complex m:self c:key;default_complex m:self c:key v:default_value;Tensor m:self T:key;default_Tensor m:self T:key v:default_value
get_autocast_dtype - s:device_type
get_device - T:self
glu - T:self i:dim=-1
glu_jvp - T:glu T:x T:dx i:dim
grad - T[]:outputs T[]:inputs T?[]?:grad_outputs=None b?:retain_graph=None b:create_graph=False b:allow_unused=False
greater Tensor T:self T:other;Scalar T:self n:other
greater_ Scalar T:self n:other;Tensor T:self T:other
greater_equal Tensor T:self T:other;Scalar T:self n:other
greater_equal_ Scalar T:self n:other;Tensor T:self T:other
grid_sampler - T:input T:grid i:interpolation_mode i:padding_mode b:align_corners;v1 T:input T:grid i:interpolation_mode i:padding_mode
grid_sampler_2d - T:input T:grid i:interpolation_mode i:padding_mode b:align_corners
grid_sampler_3d - T:input T:grid i:interpolation_mode i:padding_mode b:align_corners
group_norm - T:input i:num_groups T?:weight=None T?:bias=None f:eps=1e-05 b:cudnn_enabled=True
gru input T:input T:hx T[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional b:batch_first;data T:data T:batch_sizes T:hx T[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional
gru_cell - T:input T:hx T:w_ih T:w_hh T?:b_ih=None T?:b_hh=None
gt Tensor T:self T:other;Scalar T:self n:other;int i:a i:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b;str s:a s:b
gt_ Scalar T:self n:other;Tensor T:self T:other
hamming_window - i:window_length * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;periodic i:window_length b:periodic * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;periodic_alpha i:window_length b:periodic f:alpha * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;periodic_alpha_beta i:window_length b:periodic f:alpha f:beta * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
hann_window - i:window_length * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;periodic i:window_length b:periodic * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
hardshrink - T:self n:lambd=0.5
hardsigmoid - T:self
hardsigmoid_ - T:self
hardswish - T:self
hardswish_ - T:self
hardtanh - T:self n:min_val=-1 n:max_val=1
hardtanh_ - T:self n:min_val=-1 n:max_val=1
has_torch_function -
hash generic v:value
hash_tensor - T:self i[]:dim=[] * b:keepdim=False i:mode=0
heaviside - T:self T:values
heaviside_ - T:self T:values
hex - i:i
hinge_embedding_loss - T:self T:target f:margin=1.0 i:reduction=1
histc - T:self i:bins=100 n:min=0 n:max=0
histogram bins_tensor T:self T:bins * T?:weight=None b:density=False;bin_ct T:self i:bins=100 * f[]?:range=None T?:weight=None b:density=False
hsplit int T:self i:sections;array T:self i[]:indices
hspmm - T:mat1 T:mat2
hstack - T[]:tensors
huber_loss - T:self T:target i:reduction=1 f:delta=1.0
hypot - T:self T:other
hypot_ - T:self T:other
i0 - T:self
i0_ - T:self
ifft v1 T:self i:signal_ndim b:normalized=False
im2col - T:self i[]:kernel_size i[]:dilation i[]:padding i[]:stride
imag - T:self
index Tensor T:self T?[]:indices;Tensor_hacked_twin T:self T[]:indices;str s:self s:substr i:start=0 i:end=-1;list_int i[]:self i:el;list_float f[]:self f:el;list_bool b[]:self b:el;list_Tensor T[]:self T:el;list_str s[]:self s:el
index_add - T:self i:dim T:index T:source * n:alpha=1;dimname T:self s:dim T:index T:source * n:alpha=1
index_add_ - T:self i:dim T:index T:source * n:alpha=1
index_copy - T:self i:dim T:index T:source;dimname T:self s:dim T:index T:source
index_copy_ - T:self i:dim T:index T:source;dimname T:self s:dim T:index T:source
index_fill int_Tensor T:self i:dim T:index T:value;int_Scalar T:self i:dim T:index n:value;Dimname_Scalar T:self s:dim T:index n:value;Dimname_Tensor T:self s:dim T:index T:value
index_fill_ int_Tensor T:self i:dim T:index T:value;int_Scalar T:self i:dim T:index n:value;Dimname_Scalar T:self s:dim T:index n:value;Dimname_Tensor T:self s:dim T:index T:value
index_put - T:self T?[]:indices T:values b:accumulate=False;hacked_twin T:self T[]:indices T:values b:accumulate=False
index_put_ - T:self T?[]:indices T:values b:accumulate=False;hacked_twin T:self T[]:indices T:values b:accumulate=False
index_reduce - T:self i:dim T:index T:source s:reduce * b:include_self=True
index_reduce_ - T:self i:dim T:index T:source s:reduce * b:include_self=True
index_select - T:self i:dim T:index;dimname T:self s:dim T:index
indices - T:self
initial_seed - g:self
inner - T:self T:other
insert t v[]:self i:idx v:el
instance_norm - T:input T?:weight T?:bias T?:running_mean T?:running_var b:use_input_stats f:momentum f:eps b:cudnn_enabled
int_repr - T:self
inverse - T:self
irfft v1 T:self i:signal_ndim b:normalized=False b:onesided=True i[]:signal_sizes=[]
is_autocast_cpu_enabled -
is_autocast_enabled -
is_coalesced - T:self
is_complex - T:self
is_conj - T:self
is_contiguous - T:self;memory_format T:self i:memory_format
is_distributed - T:self
is_floating_point - T:self
is_grad_enabled -
is_inference - T:self
is_leaf - T:self
is_neg - T:self
is_non_overlapping_and_dense - T:self
is_nonzero - T:self
is_owner - o:self
is_same_size - T:self T:other
is_scripting -
is_set_to - T:self T:tensor
is_signed - T:self
is_strides_like_format - T:self i:memory_format
is_vulkan_available -
isalnum - s:self
isalpha - s:self
isclose - T:self T:other f:rtol=1e-05 f:atol=1e-08 b:equal_nan=False
isdecimal - s:self
isdigit - s:self
isfinite - T:self;float f:a;complex c:a
isidentifier - s:self
isin Tensor_Tensor T:elements T:test_elements * b:assume_unique=False b:invert=False;Tensor_Scalar T:elements n:test_element * b:assume_unique=False b:invert=False;Scalar_Tensor n:element T:test_elements * b:assume_unique=False b:invert=False
isinf - T:self;float f:a;complex c:a
islower - s:self
isnan - T:self;float f:a;complex c:a
isneginf - T:self
isnumeric - s:self
isposinf - T:self
isprintable - s:self
isreal - T:self
isspace - s:self
istft - T:self i:n_fft i?:hop_length=None i?:win_length=None T?:window=None b:center=True b:normalized=False b?:onesided=None i?:length=None b:return_complex=False
istitle - s:self
isupper - s:self
item - T:self
items str m:self
join - s:self s[]:values
kaiser_window - i:window_length * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;periodic i:window_length b:periodic * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;beta i:window_length b:periodic f:beta * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
keys str m:self
kl_div - T:self T:target i:reduction=1 * b:log_target=False
kron - T:self T:other
kthvalue - T:self i:k i:dim=-1 b:keepdim=False;dimname T:self i:k s:dim b:keepdim=False
l1_loss - T:self T:target i:reduction=1
layer_norm - T:input i[]:normalized_shape T?:weight=None T?:bias=None f:eps=1e-05 b:cudnn_enable=True
lcm - T:self T:other
lcm_ - T:self T:other
ldexp Tensor T:self T:other;- f:x i:i
ldexp_ - T:self T:other
le Tensor T:self T:other;Scalar T:self n:other;int i:a i:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b;str s:a s:b
le_ Scalar T:self n:other;Tensor T:self T:other
leaky_relu - T:self n:negative_slope=0.01
leaky_relu_ - T:self n:negative_slope=0.01
len t v[]:a;Tensor T:t;str s:s;Dict_str m:self;any a[]:a
lerp Scalar T:self T:end n:weight;Tensor T:self T:end T:weight
lerp_ Scalar T:self T:end n:weight;Tensor T:self T:end T:weight
less Tensor T:self T:other;Scalar T:self n:other
less_ Scalar T:self n:other;Tensor T:self T:other
less_equal Tensor T:self T:other;Scalar T:self n:other
less_equal_ Scalar T:self n:other;Tensor T:self T:other
lgamma - T:self;int i:a;float f:a;Scalar n:a
lgamma_ - T:self
lift - T:self
lift_fresh - T:self
lift_fresh_copy - T:self
linalg_cholesky - T:self * b:upper=False
linalg_cross - T:self T:other * i:dim=-1
linalg_det - T:A
linalg_diagonal - T:A * i:offset=0 i:dim1=-2 i:dim2=-1
linalg_eigvalsh - T:self s:UPLO="L"
linalg_inv - T:A
linalg_inv_ex - T:A * b:check_errors=False
linalg_matmul - T:self T:other
linalg_matrix_norm - T:self n:ord i[]:dim=[-2,-1] b:keepdim=False * i?:dtype=None;str_ord T:self s:ord="fro" i[]:dim=[-2,-1] b:keepdim=False * i?:dtype=None
linalg_matrix_power - T:self i:n
linalg_multi_dot - T[]:tensors
linalg_norm - T:self n?:ord=None i[]?:dim=None b:keepdim=False * i?:dtype=None;ord_str T:self s:ord i[]?:dim=None b:keepdim=False * i?:dtype=None
linalg_pinv - T:self f:rcond b:hermitian=False;atol_rtol_float T:self * f?:atol=None f?:rtol=None b:hermitian=False;atol_rtol_tensor T:self * T?:atol=None T?:rtol=None b:hermitian=False;rcond_tensor T:self T:rcond b:hermitian=False
linalg_slogdet - T:A
linalg_solve - T:A T:B * b:left=True
linalg_solve_ex - T:A T:B * b:left=True b:check_errors=False
linalg_svdvals - T:A * s?:driver=None
linalg_vander - T:x * i?:N=None
linalg_vecdot - T:x T:y * i:dim=-1
linalg_vector_norm - T:self n:ord=2 i[]?:dim=None b:keepdim=False * i?:dtype=None
linear - T:input T:weight T?:bias=None
linspace Tensor_Tensor T:start T:end i:steps * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;Tensor_Scalar T:start n:end i:steps * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;Scalar_Tensor n:start T:end i:steps * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;- n:start n:end i:steps * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;v7 n:start n:end i?:steps=None * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
list - s:t;t v[]:l
ljust - s:self i:width s:fillchar="\\u0020"
local_value - o:self
log - T:self;int i:a;float f:a;complex c:a;Scalar n:a;int_int i:a i:b;float_float f:a f:b;complex_complex c:a c:b;int_float i:a f:b;float_int f:a i:b;int_complex i:a c:b;complex_int c:a i:b;float_complex f:a c:b;complex_float c:a f:b;Scalar_Scalar n:a n:b
log10 - T:self;int i:a;float f:a;complex c:a;Scalar n:a
log10_ - T:self
log1p - T:self;int i:a;float f:a;Scalar n:a
log1p_ - T:self
log2 - T:self
log2_ - T:self
log_ - T:self
log_sigmoid - T:self
log_sigmoid_forward - T:self
log_softmax int T:self i:dim i?:dtype=None;Dimname T:self s:dim * i?:dtype=None;v1 T:self i:dim
logaddexp - T:self T:other
logaddexp2 - T:self T:other
logcumsumexp - T:self i:dim;dimname T:self s:dim
logdet - T:self
logical_and - T:self T:other
logical_and_ - T:self T:other
logical_not - T:self
logical_not_ - T:self
logical_or - T:self T:other
logical_or_ - T:self T:other
logical_xor - T:self T:other
logical_xor_ - T:self T:other
logit - T:self f?:eps=None
logit_ - T:self f?:eps=None
logspace Tensor_Tensor T:start T:end i:steps f:base=10.0 * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;Tensor_Scalar T:start n:end i:steps f:base=10.0 * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;Scalar_Tensor n:start T:end i:steps f:base=10.0 * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;- n:start n:end i:steps f:base=10.0 * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;v8 n:start n:end i?:steps=None f:base=10.0 * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
logsumexp - T:self i[]:dim b:keepdim=False;names T:self s[]:dim b:keepdim=False
lower - s:self
lstm input T:input T[]:hx T[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional b:batch_first;data T:data T:batch_sizes T[]:hx T[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional
lstm_cell - T:input T[]:hx T:w_ih T:w_hh T?:b_ih=None T?:b_hh=None
lstrip - s:self s:chars="\\u0020\\n\\t\\f\\u000b"
lt Tensor T:self T:other;Scalar T:self n:other;int i:a i:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b;str s:a s:b
lt_ Scalar T:self n:other;Tensor T:self T:other
lu_solve v1 T:self T:LU_data T:LU_pivots
mH - T:self
mT - T:self
margin_ranking_loss - T:input1 T:input2 T:target f:margin=0.0 i:reduction=1
masked_fill Scalar T:self T:mask n:value;Tensor T:self T:mask T:value
masked_fill_ Scalar T:self T:mask n:value;Tensor T:self T:mask T:value
masked_scatter - T:self T:mask T:source
masked_scatter_ - T:self T:mask T:source
masked_select - T:self T:mask
mathremainder int i:a i:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b
matmul - T:self T:other
matrix_H - T:self
matrix_exp - T:self
matrix_power - T:self i:n
max other T:self T:other;- T:self;dim T:self i:dim b:keepdim=False;names_dim T:self s:dim b:keepdim=False
max_pool1d - T:self i[]:kernel_size i[]:stride=[] i[]:padding=[0] i[]:dilation=[1] b:ceil_mode=False
max_pool1d_with_indices - T:self i[]:kernel_size i[]:stride=[] i[]:padding=[0] i[]:dilation=[1] b:ceil_mode=False
max_pool2d - T:self i[]:kernel_size i[]:stride=[] i[]:padding=[0,0] i[]:dilation=[1,1] b:ceil_mode=False
max_pool2d_with_indices - T:self i[]:kernel_size i[]:stride=[] i[]:padding=[0,0] i[]:dilation=[1,1] b:ceil_mode=False
max_pool3d - T:self i[]:kernel_size i[]:stride=[] i[]:padding=[0,0,0] i[]:dilation=[1,1,1] b:ceil_mode=False
max_pool3d_with_indices - T:self i[]:kernel_size i[]:stride=[] i[]:padding=[0,0,0] i[]:dilation=[1,1,1] b:ceil_mode=False
max_unpool2d - T:self T:indices i[]:output_size
max_unpool3d - T:self T:indices i[]:output_size i[]:stride i[]:padding
maximum - T:self T:other
mean - T:self * i?:dtype=None;dim T:self i[]?:dim b:keepdim=False * i?:dtype=None;names_dim T:self s[]:dim b:keepdim=False * i?:dtype=None
median - T:self;dim T:self i:dim b:keepdim=False;names_dim T:self s:dim b:keepdim=False
meshgrid - T[]:tensors;indexing T[]:tensors * s:indexing
min other T:self T:other;- T:self;dim T:self i:dim b:keepdim=False;names_dim T:self s:dim b:keepdim=False
minimum - T:self T:other
mish - T:self
mish_ - T:self
mm - T:self T:mat2;dtype T:self T:mat2 i:out_dtype
mode - T:self i:dim=-1 b:keepdim=False;dimname T:self s:dim b:keepdim=False
modf - f:a
moveaxis intlist T:self i[]:source i[]:destination;int T:self i:source i:destination
movedim int T:self i:source i:destination;intlist T:self i[]:source i[]:destination
mse_loss - T:self T:target i:reduction=1
msort - T:self
mul Tensor T:self T:other;Scalar T:self n:other;left_t v[]:l i:n;right_ i:n v[]:l;int i:a i:b;complex c:a c:b;float f:a f:b;int_complex i:a c:b;complex_int c:a i:b;float_complex f:a c:b;complex_float c:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b
mul_ Tensor T:self T:other;Scalar T:self n:other;t v[]:l i:n
multilabel_margin_loss_forward - T:self T:target i:reduction
multinomial - T:self i:num_samples b:replacement=False * g?:generator=None
multiply Tensor T:self T:other;Scalar T:self n:other
multiply_ Tensor T:self T:other;Scalar T:self n:other
mv - T:self T:vec
mvlgamma - T:self i:p
mvlgamma_ - T:self i:p
nan_to_num - T:self f?:nan=None f?:posinf=None f?:neginf=None
nan_to_num_ - T:self f?:nan=None f?:posinf=None f?:neginf=None
nanmean - T:self i[]?:dim=None b:keepdim=False * i?:dtype=None
nanmedian - T:self;dim T:self i:dim b:keepdim=False;names_dim T:self s:dim b:keepdim=False
nanquantile - T:self T:q i?:dim=None b:keepdim=False * s:interpolation="linear";scalar T:self f:q i?:dim=None b:keepdim=False * s:interpolation="linear"
nansum - T:self i[]?:dim=None b:keepdim=False * i?:dtype=None
narrow - T:self i:dim i:start i:length;Tensor T:self i:dim T:start i:length
native_batch_norm - T:input T?:weight T?:bias T?:running_mean T?:running_var b:training f:momentum f:eps
native_channel_shuffle - T:self i:groups
native_dropout - T:input f:p b?:train
native_group_norm - T:input T?:weight T?:bias i:N i:C i:HxW i:group f:eps
native_layer_norm - T:input i[]:normalized_shape T?:weight T?:bias f:eps
native_norm - T:self n:p=2;ScalarOpt_dim_dtype T:self n?:p i[]:dim b:keepdim i?:dtype
ne Tensor T:self T:other;Scalar T:self n:other;int_list i[]:a i[]:b;device d:a d:b;bool b:a b:b;enum e:a e:b;int i:a i:b;complex c:a c:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;float_complex f:a c:b;complex_float c:a f:b;- n:a n:b;str s:a s:b;float_list f[]:a f[]:b;Tensor_list T[]:a T[]:b;bool_list b[]:a b[]:b;str_list s[]:a s[]:b
ne_ Scalar T:self n:other;Tensor T:self T:other
neg - T:self;int i:a;float f:a;complex c:a;Scalar n:a
neg_ - T:self
negative - T:self
negative_ - T:self
new_empty - T:self i[]:size * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
new_empty_strided - T:self i[]:size i[]:stride * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
new_full - T:self i[]:size n:fill_value * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
new_ones - T:self i[]:size * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
new_zeros - T:self i[]:size * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
nextafter - T:self T:other
nextafter_ - T:self T:other
nll_loss - T:self T:target T?:weight=None i:reduction=1 i:ignore_index=-100
nll_loss2d - T:self T:target T?:weight=None i:reduction=1 i:ignore_index=-100
nll_loss2d_forward - T:self T:target T?:weight i:reduction i:ignore_index
nll_loss_forward - T:self T:target T?:weight i:reduction i:ignore_index
nll_loss_nd - T:self T:target T?:weight=None i:reduction=1 i:ignore_index=-100
nonzero - T:self
nonzero_numpy - T:self
nonzero_static - T:self * i:size i:fill_value=-1
norm Scalar T:self n:p=2;ScalarOpt_dim T:self n?:p i[]:dim b:keepdim=False;ScalarOpt_dim_dtype T:self n?:p i[]:dim b:keepdim * i:dtype;ScalarOpt_dtype T:self n?:p * i:dtype;names_ScalarOpt_dim T:self n?:p s[]:dim b:keepdim=False;names_ScalarOpt_dim_dtype T:self n?:p s[]:dim b:keepdim * i:dtype
norm_except_dim - T:v i:pow=2 i:dim=0
normal Tensor_float T:mean f:std=1.0 * g?:generator=None;float_Tensor f:mean T:std * g?:generator=None;Tensor_Tensor T:mean T:std * g?:generator=None;float_float f:mean f:std i[]:size * g?:generator=None i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
normal_ - T:self f:mean=0.0 f:std=1.0 * g?:generator=None
normal_functional - T:self f:mean=0.0 f:std=1.0 * g?:generator=None
not_equal Tensor T:self T:other;Scalar T:self n:other
not_equal_ Scalar T:self n:other;Tensor T:self T:other
nuclear_norm - T:self b:keepdim=False;dim T:self i[]:dim b:keepdim=False
numel - T:self
numpy_T - T:self
oct - i:i
one_hot - T:self i:num_classes=-1
ones - i[]:size * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;names i[]:size * s[]?:names i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
ones_like - T:self * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None
ord - s:string
outer - T:self T:vec2
output_nr - T:self
owner - o:self
owner_name - o:self
pad - T:self i[]:pad s:mode="constant" f?:value=None
pad_sequence - T[]:sequences b:batch_first=False f:padding_value=0.0 s:padding_side="right";- T[]:sequences b:batch_first=False f:padding_value=0.0
pairwise_distance - T:x1 T:x2 f:p=2.0 f:eps=1e-06 b:keepdim=False
partition - s:self s:separator
pdist - T:self f:p=2.0
percentFormat - s:self
permute - T:self i[]:dims
pin_memory - T:self d?:device=None
pinverse - T:self f:rcond=1e-15
pixel_shuffle - T:self i:upscale_factor
pixel_unshuffle - T:self i:downscale_factor
poisson - T:self g?:generator=None
poisson_nll_loss - T:input T:target b:log_input b:full f:eps i:reduction
polar - T:abs T:angle;int i:a i:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;Scalar_Scalar n:a n:b
pop t v[]:self i:idx=-1;Dict_str m:self s:key;Dict_default_str m:self s:key v:default_value;Dict_int m:self i:key;Dict_default_int m:self i:key v:default_value;Dict_bool m:self b:key;Dict_default_bool m:self b:key v:default_value;Dict_float m:self f:key;Dict_default_float m:self f:key v:default_value;Dict_complex m:self c:key;Dict_default_complex m:self c:key v:default_value;Dict_Tensor m:self T:key;Dict_default_Tensor m:self T:key v:default_value
popitem str m:self
positive - T:self
pow Tensor_Tensor T:self T:exponent;Tensor_Scalar T:self n:exponent;Scalar n:self T:exponent;int i:a i:b;complex c:a c:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;float_complex f:a c:b;complex_float c:a f:b;Scalar_Scalar n:a n:b
pow_ Scalar T:self n:exponent;Tensor T:self T:exponent
prelu - T:self T:weight
prim::BailoutTemplate -
prim::EnumName - e:enum
prim::EnumValue int e:enum
prim::ModuleContainerIndex list a:self i:ind;dict a:self s:ind
prim::NumToTensor Scalar n:a;bool b:a
prim::Print -
prim::RaiseException - s:msg s?:cls=None
prim::RequiresGradCheck -
prim::StringIndex - s:string i:index
prim::TupleIndex - a:tup i:i
prim::TupleUnpack - a:tup
prim::Uninitialized -
prim::abs int i:a;float f:a;complex c:a;Scalar n:a;- T:x
prim::add_optional - T:input T?:bias
prim::awaitable_nowait - v:self
prim::awaitable_wait - o:self
prim::data - T:a
prim::device - T:a
prim::dtype - T:a
prim::expand_as_copy - T:self T:other
prim::expand_copy - T:self i[]:size * b:implicit=False
prim::flatten_copy - T:self i:start_dim i:end_dim
prim::index - d:self
prim::infer_squeeze_size dim i[]:a i:dim;- i[]:a
prim::infer_unsqueeze_size - i[]:a i:dim
prim::is_cpu - T:a
prim::is_cuda - T:a
prim::is_meta - T:a
prim::is_mkldnn - T:a
prim::is_nested - T:a
prim::is_ort - T:a
prim::is_quantized - T:a
prim::is_sparse - T:a
prim::is_sparse_csr - T:a
prim::itemsize - T:a
prim::layout - T:a
prim::max int i:a i:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b;int_list i[]:l i[]:r;self_int i[]:self;float_list f[]:l f[]:r;self_float f[]:self;bool_list b[]:l b[]:r;self_bool b[]:self
prim::min int i:a i:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b;int_list i[]:l i[]:r;self_int i[]:self;float_list f[]:l f[]:r;self_float f[]:self;bool_list b[]:l b[]:r;self_bool b[]:self
prim::name - T:a
prim::nbytes - T:a
prim::rangelist - i:n
prim::reshape_copy - T:self i[]:shape
prim::squeeze_copy - T:self;dim T:self i:dim
prim::tolist -
prim::type - d:self
prim::unchecked_cast - v:x
prim::unchecked_unwrap_optional - v?:optional
prim::unsqueeze_copy - T:self i:dim
prim::view_copy - T:self i[]:size
prod - T:self * i?:dtype=None;dim_int T:self i:dim b:keepdim=False * i?:dtype=None;dim_Dimname T:self s:dim b:keepdim=False * i?:dtype=None
promote_types - i:type1 i:type2
put - T:self T:index T:source b:accumulate=False
put_ - T:self T:index T:source b:accumulate=False
q_per_channel_axis - T:self
q_per_channel_scales - T:self
q_per_channel_zero_points - T:self
q_scale - T:self
q_zero_point - T:self
qscheme - T:self
quantile - T:self T:q i?:dim=None b:keepdim=False * s:interpolation="linear";scalar T:self f:q i?:dim=None b:keepdim=False * s:interpolation="linear"
quantize_per_channel - T:self T:scales T:zero_points i:axis i:dtype
quantize_per_tensor - T:self f:scale i:zero_point i:dtype;tensor_qparams T:self T:scale T:zero_point i:dtype;tensors T[]:tensors T:scales T:zero_points i:dtype
quantize_per_tensor_dynamic - T:self i:dtype b:reduce_range
quantized::add - T:qa T:qb f:scale i:zero_point;Scalar T:qa n:b;Scalar2 n:b T:qa
quantized::add_relu - T:qa T:qb f:scale i:zero_point;Scalar T:qa n:b;Scalar2 n:b T:qa
quantized::add_scalar - T:qa n:b;Tensor T:qa T:b
quantized::add_scalar_relu - T:qa n:b;Tensor T:qa T:b
quantized::batch_norm - T:qx T?:weight T?:bias T:mean T:var f:eps f:output_scale i:output_zero_point
quantized::batch_norm1d - T:qx T?:weight T?:bias T:mean T:var f:eps f:output_scale i:output_zero_point
quantized::batch_norm1d_relu - T:qx T?:weight T?:bias T:mean T:var f:eps f:output_scale i:output_zero_point
quantized::batch_norm2d - T:qx T?:weight T?:bias T:mean T:var f:eps f:output_scale i:output_zero_point
quantized::batch_norm2d_relu - T:qx T?:weight T?:bias T:mean T:var f:eps f:output_scale i:output_zero_point
quantized::batch_norm3d - T:qx T?:weight T?:bias T:mean T:var f:eps f:output_scale i:output_zero_point
quantized::batch_norm3d_relu - T:qx T?:weight T?:bias T:mean T:var f:eps f:output_scale i:output_zero_point
quantized::batch_norm_relu - T:qx T?:weight T?:bias T:mean T:var f:eps f:output_scale i:output_zero_point
quantized::cat - T[]:qx i:dim f?:scale i?:zero_point
quantized::cat_relu - T[]:qx i:dim f?:scale i?:zero_point
quantized::celu - T:self f:output_scale i:output_zero_point n:alpha=1
quantized::clamp - T:qx n?:min=None n?:max=None
quantized::conv1d - T:qx o:packed_weight f:output_scale i:output_zero_point
quantized::conv1d_dynamic - T:qx o:packed_weight b:reduce_range=False
quantized::conv1d_prepack - T:weight T?:bias i[]:stride i[]:padding i[]:dilation i:groups
quantized::conv1d_relu - T:qx o:packed_weight f:output_scale i:output_zero_point
quantized::conv2d new T:qx o:packed_weight f:output_scale i:output_zero_point;- T:qx o:weight i[]:stride i[]:padding i[]:dilation i:groups f:output_scale i:output_zero_point
quantized::conv2d_add - T:qx T:qaccum o:packed_weight f:output_scale i:output_zero_point
quantized::conv2d_add_relu - T:qx T:qaccum o:packed_weight f:output_scale i:output_zero_point
quantized::conv2d_dynamic - T:qx o:packed_weight b:reduce_range=False
quantized::conv2d_prepack - T:weight T?:bias i[]:stride i[]:padding i[]:dilation i:groups
quantized::conv2d_relu new T:qx o:packed_weight f:output_scale i:output_zero_point;- T:qx o:weight i[]:stride i[]:padding i[]:dilation i:groups f:output_scale i:output_zero_point
quantized::conv3d new T:qx o:packed_weight f:output_scale i:output_zero_point;- T:qx o:weight i[]:stride i[]:padding i[]:dilation i:groups f:output_scale i:output_zero_point
quantized::conv3d_dynamic - T:qx o:packed_weight b:reduce_range=False
quantized::conv3d_prepack - T:weight T?:bias i[]:stride i[]:padding i[]:dilation i:groups
quantized::conv3d_relu new T:qx o:packed_weight f:output_scale i:output_zero_point;- T:qx o:weight i[]:stride i[]:padding i[]:dilation i:groups f:output_scale i:output_zero_point
quantized::conv_prepack - T:weight T?:bias i[]:stride i[]:padding i[]:dilation i:groups
quantized::conv_transpose1d - T:qx o:packed_weight f:output_scale i:output_zero_point
quantized::conv_transpose1d_dynamic - T:qx o:packed_weight b:reduce_range=False
quantized::conv_transpose1d_prepack - T:weight T?:bias i[]:stride i[]:padding i[]:output_padding i[]:dilation i:groups
quantized::conv_transpose2d - T:qx o:packed_weight f:output_scale i:output_zero_point
quantized::conv_transpose2d_dynamic - T:qx o:packed_weight b:reduce_range=False
quantized::conv_transpose2d_prepack - T:weight T?:bias i[]:stride i[]:padding i[]:output_padding i[]:dilation i:groups
quantized::conv_transpose3d - T:qx o:packed_weight f:output_scale i:output_zero_point
quantized::conv_transpose3d_dynamic - T:qx o:packed_weight b:reduce_range=False
quantized::conv_transpose3d_prepack - T:weight T?:bias i[]:stride i[]:padding i[]:output_padding i[]:dilation i:groups
quantized::dropout - T:self f:output_scale i:output_zero_point n:p=0.5 b:training=False
quantized::elu - T:self f:output_scale i:output_zero_point n:alpha=1 n:scale=1 n:input_scale=1
quantized::embedding_4bit - o:weight T:indices b:pruned_weights=False
quantized::embedding_bag_byte - o:weight T:indices T?:offsets=None b:scale_grad_by_freq=False i:mode=0 b:pruned_weights=False T?:per_sample_weights=None T?:compressed_indices_mapping=None b:include_last_offset=False
quantized::embedding_bag_byte_prepack - T:weight
quantized::embedding_bag_prepack - T:weight
quantized::embedding_byte - o:weight T:indices b:pruned_weights=False
quantized::fbgemm_linear v1 T:X o:W_prepack f:Y_scale_i i:Y_zero_point_i
quantized::group_norm - T:input i:num_groups T?:weight T?:bias f:eps f:output_scale i:output_zero_point
quantized::hardswish - T:input f:output_scale i:output_zero_point
quantized::instance_norm - T:input T?:weight T?:bias f:eps f:output_scale i:output_zero_point
quantized::layer_norm - T:input i[]:normalized_shape T?:weight T?:bias f:eps f:output_scale i:output_zero_point
quantized::leaky_relu - T:qx n:negative_slope b:inplace f:output_scale i:output_zero_point
quantized::linear - T:X o:W_prepack f:Y_scale_i i:Y_zero_point_i
quantized::linear_dynamic - T:X o:W_prepack b:reduce_range=False;v1 T:X o:W_prepack
quantized::linear_dynamic_fp16 - T:X o:W_prepack
quantized::linear_leaky_relu - T:X o:W_prepack f:Y_scale_i i:Y_zero_point_i f:negative_slope
quantized::linear_prepack - T:W T?:B=None
quantized::linear_prepack_fp16 - T:W T?:B=None
quantized::linear_relu - T:X o:W_prepack f:Y_scale_i i:Y_zero_point_i
quantized::linear_relu_dynamic - T:X o:W_prepack b:reduce_range=False
quantized::linear_relu_dynamic_fp16 - T:X o:W_prepack
quantized::linear_tanh - T:X o:W_prepack f:Y_scale_i i:Y_zero_point_i
quantized::linear_unpack_fp16 - o:W_prepack;legacy T:W_prepack
quantized::make_quantized_cell_params - T:w_ih T:w_hh T:b_ih T:b_hh
quantized::make_quantized_cell_params_dynamic - o:w_ih o:w_hh T:bias_ih T:bias_hh b:reduce_range=False
quantized::make_quantized_cell_params_fp16 - o:w_ih o:w_hh
quantized::matmul - T:qa T:qb f:scale i:zero_point
quantized::max_pool1d - T:qx i[]:kernel_size i[]:stride i[]:padding i[]:dilation b:ceil_mode
quantized::max_pool2d - T:qx i[]:kernel_size i[]:stride i[]:padding i[]:dilation b:ceil_mode
quantized::mul - T:qa T:qb f:scale i:zero_point;Scalar T:qa n:b;Scalar2 n:b T:qa
quantized::mul_relu - T:qa T:qb f:scale i:zero_point;Scalar T:qa n:b;Scalar2 n:b T:qa
quantized::mul_scalar - T:qa n:b;Tensor T:qa T:b
quantized::mul_scalar_relu - T:qa n:b;Tensor T:qa T:b
quantized::prelu - T:qx T:weight f:output_scale i:output_zero_point
quantized::quantized_gru_cell_dynamic - T:input T:hx o:w_ih o:w_hh T:b_ih T:b_hh
quantized::quantized_lstm_cell_dynamic - T:input T[]:hx o:w_ih o:w_hh T:bias_ih T:bias_hh
quantized::quantized_rnn_relu_cell_dynamic - T:input T:hx o:w_ih o:w_hh T:b_ih T:b_hh
quantized::quantized_rnn_tanh_cell_dynamic - T:input T:hx o:w_ih o:w_hh T:b_ih T:b_hh
quantized::relu6 - T:qx b:inplace=False
quantized::sigmoid - T:qx f:output_scale i:output_zero_point
quantized::softmax - T:qx i:dim f:output_scale i:output_zero_point
quantized::threshold - T:qx n:threshold n:value
quantized_gru input T:input T:hx o[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional b:batch_first;data T:data T:batch_sizes T:hx o[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional;input_legacy T:input T:hx T[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional b:batch_first;data_legacy T:data T:batch_sizes T:hx T[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional
quantized_gru_cell - T:input T:hx T:w_ih T:w_hh T:b_ih T:b_hh T:packed_ih T:packed_hh T:col_offsets_ih T:col_offsets_hh n:scale_ih n:scale_hh n:zero_point_ih n:zero_point_hh
quantized_lstm input T:input T[]:hx o[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional b:batch_first * i?:dtype=None b:use_dynamic=False;data T:data T:batch_sizes T[]:hx o[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional * i?:dtype=None b:use_dynamic=False;input_legacy T:input T[]:hx T[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional b:batch_first * i?:dtype=None b:use_dynamic=False;data_legacy T:data T:batch_sizes T[]:hx T[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional * i?:dtype=None b:use_dynamic=False
quantized_lstm_cell - T:input T[]:hx T:w_ih T:w_hh T:b_ih T:b_hh T:packed_ih T:packed_hh T:col_offsets_ih T:col_offsets_hh n:scale_ih n:scale_hh n:zero_point_ih n:zero_point_hh
rad2deg - T:self
rad2deg_ - T:self
radians int i:a;float f:a;Scalar n:a
rand - i[]:size * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;generator i[]:size * g?:generator i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;names i[]:size * s[]?:names i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;generator_with_names i[]:size * g?:generator s[]?:names i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
rand_like - T:self * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None;generator T:self * g?:generator i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None
randint - i:high i[]:size * i?:dtype=4 i?:layout=None d?:device=None b?:pin_memory=None;generator i:high i[]:size * g?:generator i?:dtype=4 i?:layout=None d?:device=None b?:pin_memory=None;low i:low i:high i[]:size * i?:dtype=4 i?:layout=None d?:device=None b?:pin_memory=None;low_generator i:low i:high i[]:size * g?:generator i?:dtype=4 i?:layout=None d?:device=None b?:pin_memory=None
randint_like - T:self i:high * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None;Tensor T:self T:high * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None;low_dtype T:self i:low i:high * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None;generator T:self i:high * g?:generator i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None;Tensor_generator T:self T:high * g?:generator i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None;low_generator_dtype T:self i:low i:high * g?:generator i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None
randn - i[]:size * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;generator i[]:size * g?:generator i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;names i[]:size * s[]?:names i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;generator_with_names i[]:size * g?:generator s[]?:names i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
randn_like - T:self * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None;generator T:self * g?:generator i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None
random_ from T:self i:from i?:to * g?:generator=None;to T:self i:to * g?:generator=None;- T:self * g?:generator=None
randperm - i:n * i?:dtype=4 i?:layout=None d?:device=None b?:pin_memory=None;generator i:n * g?:generator i?:dtype=4 i?:layout=None d?:device=None b?:pin_memory=None
range step n:start n:end n:step=1 * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;- n:start n:end * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
ravel - T:self
real - T:self
reciprocal - T:self
reciprocal_ - T:self
reflection_pad1d - T:self i[]:padding
reflection_pad2d - T:self i[]:padding
reflection_pad3d - T:self i[]:padding
relu - T:self
relu6 - T:self
relu6_ - T:self
relu_ - T:self
remainder Tensor T:self T:other;Scalar T:self n:other;Scalar_Tensor n:self T:other;int i:a i:b;float f:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b
remainder_ Tensor T:self T:other;Scalar T:self n:other
remove int i[]:self i:el;float f[]:self f:el;bool b[]:self b:el;Tensor T[]:self T:el;str s[]:self s:el
rename - T:self s[]?:names
rename_ - T:self s[]?:names
renorm - T:self n:p i:dim n:maxnorm
renorm_ - T:self n:p i:dim n:maxnorm
repeat - T:self i[]:repeats
repeat_interleave Tensor T:repeats * i?:output_size=None;self_Tensor T:self T:repeats i?:dim=None * i?:output_size=None;self_int T:self i:repeats i?:dim=None * i?:output_size=None
replace - s:self s:old s:new i:max=-1
replication_pad1d - T:self i[]:padding
replication_pad2d - T:self i[]:padding
replication_pad3d - T:self i[]:padding
requires_grad_ - T:self b:requires_grad=True
reshape - T:self i[]:shape
reshape_as - T:self T:other
resize_ - T:self i[]:size * i?:memory_format=None
resize_as_ - T:self T:the_template * i?:memory_format=None
resolve_conj - T:self
resolve_neg - T:self
result_type Tensor T:tensor T:other;Scalar T:tensor n:other;Scalar_Tensor n:scalar T:tensor;Scalar_Scalar n:scalar1 n:scalar2
reverse t v[]:self
rfft v1 T:self i:signal_ndim b:normalized=False b:onesided=True
rfind - s:self s:substr i:start=0 i:end=-1
rindex - s:self s:substr i:start=0 i:end=-1
rjust - s:self i:width s:fillchar="\\u0020"
rms_norm - T:input i[]:normalized_shape T?:weight=None f?:eps=None
rnn_relu input T:input T:hx T[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional b:batch_first;data T:data T:batch_sizes T:hx T[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional
rnn_relu_cell - T:input T:hx T:w_ih T:w_hh T?:b_ih=None T?:b_hh=None
rnn_tanh input T:input T:hx T[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional b:batch_first;data T:data T:batch_sizes T:hx T[]:params b:has_biases i:num_layers f:dropout b:train b:bidirectional
rnn_tanh_cell - T:input T:hx T:w_ih T:w_hh T?:b_ih=None T?:b_hh=None
roll - T:self i[]:shifts i[]:dims=[]
rot90 - T:self i:k=1 i[]:dims=[0,1]
round - T:self;decimals T:self * i:decimals;int i:a;float f:a;Scalar n:a
round_ - T:self;decimals T:self * i:decimals
row_stack - T[]:tensors
rpartition - s:self s:separator
rrelu - T:self n:lower=0.125 n:upper=0.3333333333333333 b:training=False g?:generator=None
rrelu_ - T:self n:lower=0.125 n:upper=0.3333333333333333 b:training=False g?:generator=None
rsplit - s:self s:separator="\\u0020" i:max=-1
rsqrt - T:self
rsqrt_ - T:self
rstrip - s:self s:chars="\\u0020\\n\\t\\f\\u000b"
rsub Tensor T:self T:other * n:alpha=1;Scalar T:self n:other n:alpha=1
scalar_tensor - n:s * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
scaled_dot_product_attention - T:query T:key T:value T?:attn_mask=None f:dropout_p=0.0 b:is_causal=False * f?:scale=None b:enable_gqa=False
scatter value T:self i:dim T:index n:value;src T:self i:dim T:index T:src;reduce T:self i:dim T:index T:src * s:reduce;value_reduce T:self i:dim T:index n:value * s:reduce;dimname_src T:self s:dim T:index T:src;dimname_value T:self s:dim T:index n:value
scatter_ src T:self i:dim T:index T:src;value T:self i:dim T:index n:value;reduce T:self i:dim T:index T:src * s:reduce;value_reduce T:self i:dim T:index n:value * s:reduce
scatter_add - T:self i:dim T:index T:src;dimname T:self s:dim T:index T:src
scatter_add_ - T:self i:dim T:index T:src
scatter_reduce two T:self i:dim T:index T:src s:reduce * b:include_self=True
scatter_reduce_ two T:self i:dim T:index T:src s:reduce * b:include_self=True
searchsorted Tensor T:sorted_sequence T:self * b:out_int32=False b:right=False s?:side=None T?:sorter=None;Scalar T:sorted_sequence n:self * b:out_int32=False b:right=False s?:side=None T?:sorter=None
segment_reduce - T:data s:reduce * T?:lengths=None T?:indices=None T?:offsets=None i:axis=0 b:unsafe=False n?:initial=None
select int T:self i:dim i:index;t v[]:list i:idx;Dimname T:self s:dim i:index
select_scatter - T:self T:src i:dim i:index
selu - T:self
selu_ - T:self
set_ source_Storage_storage_offset T:self o:source i:storage_offset i[]:size i[]:stride=[];source_Tensor T:self T:source;- T:self;source_Storage T:self o:source;source_Tensor_storage_offset T:self T:source i:storage_offset i[]:size i[]:stride=[]
set_data - T:self T:new_data
set_grad_enabled - b:val
setdefault str m:self s:key v:default_value;int m:self i:key v:default_value;bool m:self b:key v:default_value;float m:self f:key v:default_value;complex m:self c:key v:default_value;Tensor m:self T:key v:default_value
sgn - T:self
sgn_ - T:self
sigmoid - T:self
sigmoid_ - T:self
sign - T:self
sign_ - T:self
signbit - T:self
silu - T:self
silu_ - T:self
sin - T:self;int i:a;float f:a;complex c:a;Scalar n:a
sin_ - T:self
sinc - T:self
sinc_ - T:self
sinh - T:self;int i:a;float f:a;complex c:a;Scalar n:a
sinh_ - T:self
size int T:self i:dim;- T:self;Dimname T:self s:dim
slice Tensor T:self i:dim=0 i?:start=None i?:end=None i:step=1;t v[]:l i?:start=None i?:end=None i:step=1;str s:string i?:start=None i?:end=None i:step=1
slice_inverse - T:self T:src i:dim=0 i?:start=None i?:end=None i:step=1
slice_scatter - T:self T:src i:dim=0 i?:start=None i?:end=None i:step=1
slogdet - T:self
smm - T:self T:mat2
smooth_l1_loss - T:self T:target i:reduction=1 f:beta=1.0
soft_margin_loss - T:self T:target i:reduction=1
softmax int T:self i:dim i?:dtype=None;Dimname T:self s:dim * i?:dtype=None;v1 T:self i:dim
softplus - T:self n:beta=1 n:threshold=20
softshrink - T:self n:lambd=0.5
sort - T:self i:dim=-1 b:descending=False;stable T:self * b?:stable i:dim=-1 b:descending=False;int i[]:self b:reverse=False;float f[]:self b:reverse=False;Tensor T[]:self b:reverse=False;bool b[]:self b:reverse=False;str s[]:self b:reverse=False;any v[]:self b:reverse=False;dimname T:self s:dim b:descending=False;dimname_stable T:self * b?:stable s:dim b:descending=False
sorted int i[]:input;float f[]:input;Tensor T[]:input;bool b[]:input;str s[]:input;any v[]:self
special_digamma - T:self
special_entr - T:self
special_erf - T:self
special_erfinv - T:self
special_exp2 - T:self
special_expit - T:self
special_expm1 - T:self
special_gammaln - T:self
special_log1p - T:self
special_log_ndtr - T:self
special_log_softmax - T:self i:dim * i?:dtype=None
special_logit - T:self f?:eps=None
special_logsumexp - T:self i[]:dim b:keepdim=False
special_ndtr - T:self
special_round - T:self * i:decimals=0
special_sinc - T:self
special_softmax - T:self i:dim i?:dtype=None
special_xlog1py - T:self T:other;other_scalar T:self n:other;self_scalar n:self T:other
special_xlogy - T:self T:other;other_scalar T:self n:other;self_scalar n:self T:other
split Tensor T:self i:split_size i:dim=0;sizes T:self i[]:split_size i:dim=0;str s:self s?:separator=None i:max=-1;- T:self i[]:split_sizes i:dim=0
split_with_sizes - T:self i[]:split_sizes i:dim=0
splitlines - s:self b:keepends=False
sqrt - T:self;int i:a;float f:a;complex c:a;Scalar n:a
sqrt_ - T:self
square - T:self
square_ - T:self
squeeze - T:self;dim T:self i:dim;dims T:self i[]:dim;dimname T:self s:dim
squeeze_ - T:self;dim T:self i:dim;dims T:self i[]:dim;dimname T:self s:dim
stack - T[]:tensors i:dim=0
startswith - s:self s:substr i:start=0 i:end=-1
std - T:self b:unbiased=True;dim T:self i[]?:dim b:unbiased=True b:keepdim=False;correction T:self i[]?:dim=None * n?:correction=None b:keepdim=False;correction T:self i[]?:dim * i?:correction b:keepdim=False;names_dim T:self s[]:dim b:unbiased=True b:keepdim=False;correction_names T:self s[]:dim * i?:correction b:keepdim=False;v1 T:self i[]:dim b:unbiased=True b:keepdim=False
std_mean - T:self b:unbiased=True;dim T:self i[]?:dim b:unbiased=True b:keepdim=False;correction T:self i[]?:dim=None * n?:correction=None b:keepdim=False;correction T:self i[]?:dim * i?:correction b:keepdim=False;names_dim T:self s[]:dim b:unbiased=True b:keepdim=False;correction_names T:self s[]:dim * i?:correction b:keepdim=False
stft - T:self i:n_fft i?:hop_length=None i?:win_length=None T?:window=None b:normalized=False b?:onesided=None b?:return_complex=None b?:align_to_window=None;center T:self i:n_fft i?:hop_length=None i?:win_length=None T?:window=None b:center=True s:pad_mode="reflect" b:normalized=False b?:onesided=None b?:return_complex=None b?:align_to_window=None;- T:self i:n_fft i?:hop_length=None i?:win_length=None T?:window=None b:normalized=False b?:onesided=None b?:return_complex=None;center T:self i:n_fft i?:hop_length=None i?:win_length=None T?:window=None b:center=True s:pad_mode="reflect" b:normalized=False b?:onesided=None b?:return_complex=None;v1 T:self i:n_fft i?:hop_length=None i?:win_length=None T?:window=None b:normalized=False b:onesided=True
storage_offset - T:self
str - v:elem
stride int T:self i:dim;- T:self;Dimname T:self s:dim
strip - s:self s:chars="\\u0020\\n\\t\\f\\u000b"
sub Tensor T:self T:other * n:alpha=1;Scalar T:self n:other n:alpha=1;int i:a i:b;complex c:a c:b;float f:a f:b;int_complex i:a c:b;complex_int c:a i:b;float_complex f:a c:b;complex_float c:a f:b;int_float i:a f:b;float_int f:a i:b;- n:a n:b
sub_ Tensor T:self T:other * n:alpha=1;Scalar T:self n:other n:alpha=1
subtract Tensor T:self T:other * n:alpha=1;Scalar T:self n:other n:alpha=1
subtract_ Tensor T:self T:other * n:alpha=1;Scalar T:self n:other n:alpha=1
sum dim_IntList T:self i[]?:dim b:keepdim=False * i?:dtype=None;- T:self * i?:dtype=None;int i[]:self;float f[]:self;complex c[]:self;bool b[]:self;dim_DimnameList T:self s[]:dim b:keepdim=False * i?:dtype=None
sum_to_size - T:self i[]:size
swapaxes - T:self i:axis0 i:axis1
swapaxes_ - T:self i:axis0 i:axis1
swapcase - s:self
swapdims - T:self i:dim0 i:dim1
swapdims_ - T:self i:dim0 i:dim1
t - T:self
t_ - T:self
take - T:self T:index
take_along_dim - T:self T:indices i?:dim=None
tan - T:self;int i:a;float f:a;complex c:a;Scalar n:a
tan_ - T:self
tanh - T:self;int i:a;float f:a;complex c:a;Scalar n:a
tanh_ - T:self
tensor bool b:t * i?:dtype=None d?:device=None b:requires_grad=False;float f:t * i?:dtype=None d?:device=None b:requires_grad=False;int i:t * i?:dtype=None d?:device=None b:requires_grad=False;complex c:t * i?:dtype=None d?:device=None b:requires_grad=False;- v[]:data * i?:dtype=None d?:device=None b:requires_grad=False
tensor_split sections T:self i:sections i:dim=0;indices T:self i[]:indices i:dim=0;tensor_indices_or_sections T:self T:tensor_indices_or_sections i:dim=0
tensordot - T:self T:other i[]:dims_self i[]:dims_other
thnn_conv2d - T:self T:weight i[]:kernel_size T?:bias=None i[]:stride=[1,1] i[]:padding=[0,0]
threshold - T:self n:threshold n:value
threshold_ - T:self n:threshold n:value
tile - T:self i[]:dims
title - s:self
to device T:self d:device i:dtype b:non_blocking=False b:copy=False i?:memory_format=None;dtype T:self i:dtype b:non_blocking=False b:copy=False i?:memory_format=None;other T:self T:other b:non_blocking=False b:copy=False i?:memory_format=None;dtype_layout T:self * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None b:non_blocking=False b:copy=False i?:memory_format=None;prim_Device T:self d?:device i?:dtype=None b:non_blocking=False b:copy=False;prim_dtype T:self i?:dtype=None b:non_blocking=False b:copy=False;prim_other T:self b:non_blocking=False b:copy=False
to_dense - T:self i?:dtype=None * b?:masked_grad=None;- T:self i?:dtype=None
to_here - o:self f:timeout=60.0
to_padded_tensor - T:self f:padding i[]?:output_size=None
topk - T:self i:k i:dim=-1 b:largest=True b:sorted=True
torchvision::box_iou_rotated - T:boxes1 T:boxes2
torchvision::deform_conv2d - T:input T:weight T:offset T:mask T:bias i:stride_h i:stride_w i:pad_h i:pad_w i:dilation_h i:dilation_w i:groups i:offset_groups b:use_mask
torchvision::nms - T:dets T:scores f:iou_threshold
torchvision::ps_roi_align - T:input T:rois f:spatial_scale i:pooled_height i:pooled_width i:sampling_ratio
torchvision::ps_roi_pool - T:input T:rois f:spatial_scale i:pooled_height i:pooled_width
torchvision::qnms - T:dets T:scores f:iou_threshold
torchvision::qroi_align - T:input T:rois f:input_scale i:input_zero_point f:rois_scale i:rois_zero_point f:spatial_scale i:pooled_height i:pooled_width i:sampling_ratio b:aligned
torchvision::roi_align - T:input T:rois f:spatial_scale i:pooled_height i:pooled_width i:sampling_ratio b:aligned
torchvision::roi_pool - T:input T:rois f:spatial_scale i:pooled_height i:pooled_width
trace - T:self
transpose int T:self i:dim0 i:dim1;Dimname T:self s:dim0 s:dim1
transpose_ - T:self i:dim0 i:dim1
trapezoid x T:y T:x * i:dim=-1;dx T:y * n:dx=1 i:dim=-1
trapz x T:y T:x * i:dim=-1;dx T:y * f:dx=1.0 i:dim=-1
tril - T:self i:diagonal=0
tril_ - T:self i:diagonal=0
tril_indices - i:row i:col i:offset=0 * i?:dtype=4 i?:layout=None d?:device=None b?:pin_memory=None
triplet_margin_loss - T:anchor T:positive T:negative f:margin=1.0 f:p=2.0 f:eps=1e-06 b:swap=False i:reduction=1
triu - T:self i:diagonal=0
triu_ - T:self i:diagonal=0
triu_indices - i:row i:col i:offset=0 * i?:dtype=4 i?:layout=None d?:device=None b?:pin_memory=None
true_divide Tensor T:self T:other;Scalar T:self n:other
true_divide_ Tensor T:self T:other;Scalar T:self n:other
trunc - T:self
trunc_ - T:self
type_as - T:self T:other
unbind int T:self i:dim=0;Dimname T:self s:dim
unflatten int T:self i:dim i[]:sizes;Dimname T:self s:dim i[]:sizes s[]:names
unflatten_dense_tensors - T:flat T[]:tensors
unfold - T:self i:dimension i:size i:step
uniform - T:self f:from=0.0 f:to=1.0 * g?:generator=None
uniform_ - T:self f:from=0.0 f:to=1.0 * g?:generator=None
unique_consecutive - T:self b:return_inverse=False b:return_counts=False i?:dim=None
unique_dim - T:self i:dim b:sorted=True b:return_inverse=False b:return_counts=False
unique_dim_consecutive - T:self i:dim b:return_inverse=False b:return_counts=False
unsafe_chunk - T:self i:chunks i:dim=0
unsafe_split Tensor T:self i:split_size i:dim=0
unsafe_split_with_sizes - T:self i[]:split_sizes i:dim=0
unsqueeze - T:self i:dim
unsqueeze_ - T:self i:dim
update str m:self m:to_add
upper - s:self
upsample_bicubic2d - T:self i[]:output_size b:align_corners f?:scales_h=None f?:scales_w=None;vec T:input i[]?:output_size b:align_corners f[]?:scale_factors;v1 T:self i[]:output_size b:align_corners
upsample_bilinear2d - T:self i[]:output_size b:align_corners f?:scales_h=None f?:scales_w=None;vec T:input i[]?:output_size b:align_corners f[]?:scale_factors;v1 T:self i[]:output_size b:align_corners
upsample_linear1d - T:self i[]:output_size b:align_corners f?:scales=None;vec T:input i[]?:output_size b:align_corners f[]?:scale_factors;v1 T:self i[]:output_size b:align_corners
upsample_nearest1d - T:self i[]:output_size f?:scales=None;vec T:input i[]?:output_size f[]?:scale_factors;v1 T:self i[]:output_size
upsample_nearest2d - T:self i[]:output_size f?:scales_h=None f?:scales_w=None;vec T:input i[]?:output_size f[]?:scale_factors;v1 T:self i[]:output_size
upsample_nearest3d - T:self i[]:output_size f?:scales_d=None f?:scales_h=None f?:scales_w=None;vec T:input i[]?:output_size f[]?:scale_factors;v1 T:self i[]:output_size
upsample_trilinear3d - T:self i[]:output_size b:align_corners f?:scales_d=None f?:scales_h=None f?:scales_w=None;vec T:input i[]?:output_size b:align_corners f[]?:scale_factors;v1 T:self i[]:output_size b:align_corners
values - T:self;str m:self
vander - T:x i?:N=None b:increasing=False
var - T:self b:unbiased=True;dim T:self i[]?:dim b:unbiased=True b:keepdim=False;correction T:self i[]?:dim=None * n?:correction=None b:keepdim=False;correction T:self i[]?:dim * i?:correction b:keepdim=False;names_dim T:self s[]:dim b:unbiased=True b:keepdim=False;correction_names T:self s[]:dim * i?:correction b:keepdim=False;v1 T:self i[]:dim b:unbiased=True b:keepdim=False
var_mean - T:self b:unbiased=True;dim T:self i[]?:dim b:unbiased=True b:keepdim=False;correction T:self i[]?:dim=None * n?:correction=None b:keepdim=False;correction T:self i[]?:dim * i?:correction b:keepdim=False;names_dim T:self s[]:dim b:unbiased=True b:keepdim=False;correction_names T:self s[]:dim * i?:correction b:keepdim=False
vdot - T:self T:other
view - T:self i[]:size;dtype T:self i:dtype
view_as - T:self T:other
view_as_complex - T:self
view_as_real - T:self
vsplit int T:self i:sections;array T:self i[]:indices
vstack - T[]:tensors
wait - o:self
warn - s:message i:stacklevel=2
where self T:condition T:self T:other;ScalarOther T:condition T:self n:other;ScalarSelf T:condition n:self T:other;Scalar T:condition n:self n:other;- T:condition
xlogy Tensor T:self T:other;Scalar_Other T:self n:other;Scalar_Self n:self T:other
xlogy_ Tensor T:self T:other;Scalar_Other T:self n:other
zero - T:self
zero_ - T:self
zeros - i[]:size * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None;names i[]:size * s[]?:names i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None
zeros_like - T:self * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None i?:memory_format=None
zfill - s:self i:width
`
