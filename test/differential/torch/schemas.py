"""Writes packages/import-torchscript/src/schema/schema-text.ts: the argument lists of torch's operators.

    python test/differential/torch/schemas.py dump new.json           # in an environment with the newest torch
    python test/differential/torch/schemas.py dump old.json           # in one with torch 1.13
    python test/differential/torch/schemas.py write new.json old.json # any Python

The union is needed because an archive keeps the call as the torch that wrote it printed it. The text's format is
described in packages/import-torchscript/src/schema/README.md.
"""
import json
import re
import sys
from pathlib import Path

TARGET = Path(__file__).parents[3] / 'packages/import-torchscript/src/schema/schema-text.ts'

NAMESPACES = ('aten', 'prim', 'quantized', 'torchvision')

# Operators that no inference model can reach, or that no archive contains by name: gradients, optimisers, kernels of
# one device, sparse and nested storage, distributed code, internals of torch's compiler.
UNREACHABLE = re.compile(
    r'_backward|_grad\b|^aten::(_foreach|_fused_(adam|sgd|adagrad)|_cudnn|cudnn|miopen|_miopen|mkldnn|_mkldnn|_mps|_nested|_sparse'
    r'|_cslt|_coalesce|_to_sparse|_spdiags|_sobol|_nnpack|_cuda|_test|_autocast|_functional_sym|_functional_assert|_assert_'
    r'|_thnn|_fft_|_fbgemm|_wrapped|_linalg|_jagged|_padded_dense|_transform_bias|_triton|_flash_att|_efficient_att'
    r'|_scaled_dot_product_(flash|eff|cudnn|fused)|_compute_linear|_histogramdd|_validate|_resize|_rowwise|_segment'
    r'|_slow_conv|_lu_|_pin|_has_|_fill_mem|_unsafe_masked|_chunk_cat|_convert_|_conj|_neg_view|_fw_|_make_|_unpack_dual'
    r'|_dyn_|_stack_|_cummax|_cummin|_cdist_|_ctc|_use_cudnn|_batch_norm_|_copy_from|_grouped|_int_mm|_scaled_|_mixed'
    r'|_weight_int4|_dirichlet|_standard_gamma|_sample_dir|_values|_indices|_lazy|_add_relu|_propagate|_reshape_copy'
    r'|sspaddmm|sparse_|to_sparse|to_mkldnn|ccol|crow|col_indices|row_indices|nested_|special_|linalg_|fbgemm_|lu_'
    r'|ormqr|geqrf|orgqr|cholesky|lstsq|qr$|svd$|eig$|symeig|triangular_solve|sym_|quantized_(?!gru|lstm)|fake_quant'
    r'|fused_moving|_fake|rrelu_with|record_stream|is_pinned|pin_memory|align_|refine_names|rename|set_$|set\b'
    r'|unsafe_|slow_conv|thnn_|bernoulli|cauchy|exponential|geometric|log_normal|random|_embedding_bag_(sparse|dense|per)'
    r'|resize|ctc_loss|histogramdd|.*_copy$|.*_scatter$|_trilinear|segment_reduce|batch_norm_(gather|elemt|update|stats)'
    r'|choose_qparams|gradient$|retain_grad|requires_grad_|_version|.*_loss$|kaiser|lgamma_|polygamma|igamma|tensor_split_list'
    r'|backward|cpu$|cuda$|wait|get_gradients|save$|_reinterpret|_foobar|_spsolve|_sh|_print$|hash$|manual_seed|seed)'
    r'|^prim::(.*(Guard|Graph|MKLDNN|Autograd|Stat|Fus|Group|Sum|rpc|BailO|TypeCheck|Static|Size|MM|Profile|profile'
    r'|Time|Var|Ignored|Python|ConstantChunk|IfThen|Add).*|mkldnn_.*|is_(ipu|maia|mps|mtia|vulkan|xpu|xla)|id|grad)$'
    r'|^quantized::(.*_(unpack|out|stride|padding|dilation|groups|transpose|unpack_sizes|output_padding|rowwise_offsets'
    r'|min_max|legacy|unpacked_weight)|embedding_bag_[24]bit.*|int4mm.*|linear_with.*)$'
    r'|^torchvision::_'
)
# What the pattern above would drop although models use it.
REACHABLE = {
    'aten::' + name
    for name in (
        '_conj _fft_r2c _fft_c2r _fft_c2c _cdist_forward resize_ resize_as_ bernoulli bernoulli_ random_ linalg_norm '
        'linalg_vector_norm linalg_matrix_norm linalg_multi_dot linalg_cross linalg_inv linalg_det expand_copy '
        'special_expit special_erf special_softmax special_log_softmax special_xlogy special_logit select_scatter '
        'slice_scatter diagonal_scatter set_ wait cpu cuda segment_reduce exponential_ lgamma_ requires_grad_ '
        'special_logsumexp special_erfinv special_sinc linalg_matrix_power linalg_matmul linalg_eigvalsh linalg_svdvals _to_copy '
        '_scaled_dot_product_attention_math _scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_efficient_attention '
        'pin_memory thnn_conv2d _autocast_to_reduced_precision _autocast_to_full_precision lift_fresh_copy detach_copy '
        'index_copy masked_scatter _grouped_mm unsafe_chunk unsafe_split unsafe_split_with_sizes fake_quantize_per_tensor_affine '
        'fake_quantize_per_channel_affine quantized_lstm quantized_gru special_expm1 special_log1p hash __getitem__ '
        'fbgemm_linear_fp16_weight_fp32_activation fbgemm_pack_gemm_matrix_fp16 fbgemm_linear_fp16_weight quantized_lstm_cell '
        'quantized_gru_cell linalg_solve cholesky rename rename_ kl_div_loss _convert_weight_to_int4pack '
        'mse_loss l1_loss smooth_l1_loss huber_loss soft_margin_loss margin_ranking_loss hinge_embedding_loss nll_loss '
        'cosine_embedding_loss triplet_margin_loss poisson_nll_loss cross_entropy_loss linalg_vecdot linalg_diagonal '
        'linalg_vander linalg_inv_ex linalg_solve_ex linalg_slogdet linalg_cholesky linalg_pinv special_entr special_ndtr '
        'kaiser_window special_xlog1py special_round special_exp2 special_digamma special_gammaln special_log_ndtr'
    ).split()
}

TYPES = {
    'Tensor': 'T', 'int': 'i', 'float': 'f', 'bool': 'b', 'str': 's', 'number': 'n', 'complex': 'c', 'Device': 'd',
    'Generator': 'g', 'Any': 'a', 'AnyEnumType': 'e', 'int64_t': 'i', 'SymInt': 'i', 'Storage': 'o', 'Stream': 'o',
}

# Forms printed by torch 1.0 … 1.9 that neither 1.13 nor 2.x accepts. Source: native_functions.yaml of those releases.
HISTORIC = [
    ('aten::linspace', 'v7', 'n:start n:end i?:steps=None * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None'),
    ('aten::logspace', 'v8', 'n:start n:end i?:steps=None f:base=10.0 * i?:dtype=None i?:layout=None d?:device=None b?:pin_memory=None'),
    ('aten::_bmm', 'v1', 'T:self T:mat2 * b:deterministic=False'),
    ('aten::_cat', 'v1', 'T[]:tensors i:dim=0'),
    ('aten::_s_where', 'v1', 'T:condition T:self T:other'),
    ('aten::fft', 'v1', 'T:self i:signal_ndim b:normalized=False'),
    ('aten::ifft', 'v1', 'T:self i:signal_ndim b:normalized=False'),
    ('aten::rfft', 'v1', 'T:self i:signal_ndim b:normalized=False b:onesided=True'),
    ('aten::irfft', 'v1', 'T:self i:signal_ndim b:normalized=False b:onesided=True i[]:signal_sizes=[]'),
    ('aten::stft', 'v1', 'T:self i:n_fft i?:hop_length=None i?:win_length=None T?:window=None b:normalized=False b:onesided=True'),
    ('aten::_convolution', 'v1', 'T:input T:weight T?:bias i[]:stride i[]:padding i[]:dilation b:transposed i[]:output_padding i:groups b:benchmark b:deterministic b:cudnn_enabled'),
    ('aten::upsample_nearest1d', 'v1', 'T:self i[]:output_size'),
    ('aten::upsample_nearest2d', 'v1', 'T:self i[]:output_size'),
    ('aten::upsample_nearest3d', 'v1', 'T:self i[]:output_size'),
    ('aten::upsample_linear1d', 'v1', 'T:self i[]:output_size b:align_corners'),
    ('aten::upsample_bilinear2d', 'v1', 'T:self i[]:output_size b:align_corners'),
    ('aten::upsample_bicubic2d', 'v1', 'T:self i[]:output_size b:align_corners'),
    ('aten::upsample_trilinear3d', 'v1', 'T:self i[]:output_size b:align_corners'),
    ('aten::grid_sampler', 'v1', 'T:input T:grid i:interpolation_mode i:padding_mode'),
    ('aten::embedding_bag', 'v1', 'T:weight T:indices T:offsets b:scale_grad_by_freq=False i:mode=0 b:sparse=False T?:per_sample_weights=None'),
    ('aten::_softmax', 'v1', 'T:self i:dim b:half_to_float'),
    ('aten::softmax', 'v1', 'T:self i:dim'),
    ('aten::log_softmax', 'v1', 'T:self i:dim'),
    ('aten::std', 'v1', 'T:self i[]:dim b:unbiased=True b:keepdim=False'),
    ('aten::var', 'v1', 'T:self i[]:dim b:unbiased=True b:keepdim=False'),
    ('aten::avg_pool2d', 'v1', 'T:self i[]:kernel_size i[]:stride=[] i[]:padding=0 b:ceil_mode=False b:count_include_pad=True'),
    ('aten::max_unpool2d', 'v1', 'T:self T:indices i[]:output_size'),
    ('aten::_unique', 'v1', 'T:self b:sorted=True b:return_inverse=False'),
    ('aten::lu_solve', 'v1', 'T:self T:LU_data T:LU_pivots'),
    ('quantized::linear_dynamic', 'v1', 'T:X o:W_prepack'),
    ('quantized::fbgemm_linear', 'v1', 'T:X o:W_prepack f:Y_scale_i i:Y_zero_point_i'),
    ('quantized::conv2d', 'v2', 'T:qx o:weight i[]:stride i[]:padding i[]:dilation i:groups f:output_scale i:output_zero_point'),
]


def type_code(text):
    if text in TYPES:
        return TYPES[text]
    if text.startswith('Optional['):
        return type_code(text[9:-1]) + '?'
    if text.startswith('List['):
        return type_code(text[5:-1]) + '[]'
    if text.startswith(('Dict[', 'Tuple[')):
        return 'm'
    return 'o' if '.' in text or '[' in text else 'v'


def argument(arg):
    text = f'{type_code(str(arg.type))}:{arg.name}'
    if not arg.has_default_value():
        return text
    default = arg.default_value
    # repr() of a float is shortest and exact; spaces separate arguments, so lists are written without any.
    if isinstance(default, str):
        return f'{text}={json.dumps(default)}'.replace(' ', '\\u0020')
    return f'{text}={default!r}'.replace(', ', ',')


def dump(path):
    import torch
    import torchvision  # noqa: F401  registers its operators

    lines = []
    for schema in torch._C._jit_get_all_schemas():
        namespace = schema.name.split('::')[0]
        if namespace not in NAMESPACES or re.search('(^|_)out$', schema.overload_name) or schema.name.endswith('_out'):
            continue
        if schema.name not in REACHABLE and UNREACHABLE.search(schema.name):
            continue
        if any(a.is_out for a in schema.arguments if hasattr(a, 'is_out')) or any('PyObject' in str(a.type) for a in schema.arguments):
            continue
        args = []
        for arg in schema.arguments:
            if arg.kwarg_only and '*' not in args:
                args.append('*')
            args.append(argument(arg))
        lines.append((schema.name, schema.overload_name, ' '.join(args)))
    Path(path).write_text(json.dumps({'torch': torch.__version__.split('+')[0], 'schemas': lines}))


def write(paths):
    dumps = [json.loads(Path(path).read_text()) for path in paths]
    union = {}
    for name, overload, args in [s for d in dumps for s in d['schemas']] + HISTORIC:
        forms = union.setdefault(name.removeprefix('aten::'), {})
        if args not in forms:
            forms[args] = overload
    lines = []
    for name in sorted(union):
        forms = ';'.join(f'{overload or "-"} {args}'.rstrip() for args, overload in union[name].items())
        lines.append(f'{name} {forms}')
    text = '\n'.join(lines)
    text = text.replace('\\', '\\\\')
    assert '`' not in text and '${' not in text
    versions = ' and '.join(d['torch'] for d in dumps)
    TARGET.write_text(
        f'/**\n * Argument lists of {len(lines)} torch operators: the union of torch {versions} and of older forms.\n'
        ' * Made by test/differential/torch/schemas.py; the format is described in README.md beside this file.\n'
        ' * Facts from torch (BSD-3-Clause), aten/src/ATen/native/native_functions.yaml and its registrations.\n */\n'
        '// biome-ignore format: one line per operator\n'
        f'export const schemaText = `\n{text}\n`\n'
    )
    print(len(lines), 'operators,', TARGET.stat().st_size, 'bytes')


if __name__ == '__main__':
    (dump if sys.argv[1] == 'dump' else lambda first: write(sys.argv[2:]))(sys.argv[2])
