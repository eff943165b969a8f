"""More cases of ops.py: each kind of operator over a grid of element types, shapes, axes and edges.

Cases are written as in ops_cases.py, whose families these lengthen; the last ones are families of their own.
"""
import re

from ops_cases import family

FLOATS = 'f32 f64 f16'.split()
INTS = 'i64 i32 i16 i8 u8'.split()
ALL = [*FLOATS, *INTS, 'b']
EDGES = 'f32[8]=0,-0.0,inf,-inf,nan,1e30,-1e-30,0.5'

# --- element-wise, one input -----------------------------------------------------------------------------------------
case = family('unary')
for op in 'abs neg sign sgn square floor ceil round trunc frac relu sigmoid tanh exp log1p sqrt isnan isfinite signbit nan_to_num'.split():
    case(op, f'torch.{op}(a)', EDGES)
for op in 'sin exp tanh sqrt erf log2 rsqrt sigmoid'.split():
    case(op, f'torch.{op}(a)', *[f'{t}[3]+' for t in ('f64', 'f16', 'i8', 'u8')], 'b[3]')
for op in 'tan acos asin atan sinh cosh asinh'.split():
    case(op, f'torch.{op}(a)', 'f64[4]u', 'i64[3]=0,1,-1' if op in ('acos', 'asin') else 'i64[3]')
for op in 'abs sign square sgn'.split():
    case(op, f'torch.{op}(a)', 'u8[3]', *([] if op == 'abs' else ['b[3]']))
case('neg', 'torch.neg(a)', 'u8[3]', 'f16[3]')
case('hardtanh', 'F.hardtanh(a, -2.0, 3.0)', 'f64[4]', 'f16[4]', 'i64[4]')
case('relu6', 'F.relu6(a * 4)', 'f64[4]', 'i64[4]', 'f16[4]')
case('leaky_relu', 'F.leaky_relu(a, 0.2)', 'f64[4]', 'f16[4]', EDGES)
case('elu', 'F.elu(a, 0.5)', 'f64[4]', 'f16[4]')
case('selu', 'F.selu(a)', 'f64[4]', 'f16[4]')
case('celu', 'F.celu(a, 1.5)', 'f64[4]', 'f16[4]')
case('gelu', 'F.gelu(a)', 'f64[4]')
case('gelu', 'F.gelu(a, approximate="tanh")', 'f64[4]', 'f16[4]')
case('silu', 'F.silu(a)', 'f64[4]', 'f16[4]')
case('silu', 'a * torch.sigmoid(a)', 'f64[4]', 'f16[4]')
case('mish', 'F.mish(a)', 'f64[4]', 'f16[4]')
case('softplus', 'F.softplus(a)', 'f64[4]', 'f16[4]', EDGES)
case('logsigmoid', 'F.logsigmoid(a)', 'f64[4]', 'f32[4]=-200,-50,50,200')
case('hardswish', 'F.hardswish(a * 3)', 'f64[4]', 'f16[4]')
case('hardsigmoid', 'F.hardsigmoid(a * 3)', 'f64[4]', 'f16[4]')
case('prelu', 'F.prelu(a, self.w)', 'f64[2,3]', buffers='w:f64[3]')
case('prelu', 'F.prelu(a, self.w)', 'f16[2,3]', buffers='w:f16[1]')
case('glu', 'F.glu(a, 1)', 'f64[2,4]', 'f16[2,4,3]')
case('threshold', 'F.threshold(a, 1.0, 7.0)', 'i64[4]', 'f64[4]')
case('softsign', 'F.softsign(a)', 'f64[4]', 'i64[3]')
case('tanhshrink', 'F.tanhshrink(a)', 'f64[4]')
case('softshrink', 'F.softshrink(a)', 'f64[4]', 'f16[4]')
case('round', 'torch.round(a, decimals=1)', 'f64[4]', 'f32[4]=0.25,0.35,-0.25,1.05')
case('round', 'torch.special.round(a, decimals=-1)', 'f32[4]=14,25,35,-26')
case('clamp', 'torch.clamp(a, 1, 2)', 'u8[4]', 'i16[4]', 'f64[4]', 'f16[4]')
case('clamp', 'torch.clamp(a, 2.0, 1.0)', 'f32[4]')
case('clamp', 'torch.clamp(a, -0.5, 0.5)', EDGES)
case('clamp', 'torch.clamp(a, max=b)', 'f32[3,4] f64[4]', 'i64[3] f32[3]', 'i32[3] i64[]')
case('logical_not', 'torch.logical_not(a)', 'f32[3]=0,1,-2', 'u8[3]<2')
case('bitwise_not', '~a', 'u8[3]', 'i16[3]')
case('angle', 'torch.angle(a)', 'f32[4]=-1,0,2,nan', 'i64[3]')
case('isreal', 'torch.isreal(a)', 'f32[3]', 'i64[2]')
case('conj', 'torch.conj(a), torch.conj_physical(a), torch.real(a), torch.resolve_conj(a), torch.resolve_neg(a)', 'f32[3]')
case('nan_to_num', 'torch.nan_to_num(a)', 'f64[3]=nan,inf,-inf', 'f16[3]=nan,inf,-inf', 'i64[3]')
case('nan_to_num', 'torch.nan_to_num(a, 1.0, 2.0, 3.0)', EDGES)
case('lgamma', 'torch.lgamma(a)', 'f32[6]=0.1,0.5,1,2.5,30,170', 'f32[5]=-0.5,-1.5,-2.3,0,-3', 'f64[3]+', 'i64[3]+', 'f16[3]+')
case('digamma', 'torch.digamma(a)', 'f32[6]=0.1,0.5,1,2.5,30,170', 'f32[4]=-0.5,-1.5,-2.3,-7', 'f64[3]+', 'i64[3]+')
case('expm1', 'torch.expm1(a)', EDGES, 'f32[5]=-300,-90,80,1e-8,-1e-3')
for body in ('F.hardshrink(a, 0.3)', 'F.softshrink(a, 0.3)', 'F.threshold(a, 0.1, 9.0)', 'F.hardtanh(a)', 'F.leaky_relu(a)'):
    case('edges', body, EDGES)
case('lgamma', 'torch.lgamma(a)', 'f32[3]=inf,-inf,nan')
case('special', 'torch.special.gammaln(a), torch.special.digamma(a), torch.special.entr(a), torch.special.ndtr(a), torch.special.expm1(a), torch.special.log1p(a), torch.special.exp2(a), torch.special.sinc(a), torch.special.erf(a)', 'f32[4]+', 'f64[3]+')
case('entr', 'torch.special.entr(a)', 'f32[4]=0,1,-1,0.5')
case('erfinv', 'torch.erfinv(a)', 'f32[5]=-1,1,0,2,0.999', 'f64[3]u')
case('special_erfinv', 'torch.special.erfinv(a)', 'f32[3]u')
case('logit', 'torch.special.logit(a, 0.2)', 'f32[4]=0,0.1,0.5,1')
case('logit', 'torch.logit(a)', 'f64[3]=0.1,0.5,0.9')
for kind in 'float double half long int short char byte'.split():
    case(f'to-{kind}', f'a.{kind}()', *[f'{t}[4]=0,1,2,3' for t in ('f32', 'i64', 'b', 'u8')], 'f64[4]=0.9,1.9,2,-0.0' if kind not in ('byte',) else 'f64[2]=0.9,1.9')
case('data', 'a.data, a.detach().cpu()', 'f32[3]')
case('detach_', 'b = a * 2\nb.detach_()\nreturn b', 'f32[3]')
case('requires', 'a.clone(memory_format=torch.contiguous_format), a.to(memory_format=torch.channels_last)', 'f32[1,2,3,4]')
for op in 'sin cos tan asin acos atan erf erfc log2 log10 log1p expm1 exp2 rsqrt trunc frac round sign neg logit'.split():
    case(f'{op}_', f'a.{op}_()\nreturn a', 'f32[3]u' if op not in ('log2', 'log10', 'rsqrt', 'logit') else 'f32[3]=0.2,0.5,0.9')
for op in 'bitwise_not_ logical_not_'.split():
    case(op, f'a.{op}()\nreturn a', 'i64[3]', 'b[3]')

# --- element-wise, two inputs ----------------------------------------------------------------------------------------
case = family('binary')
MIXED = [f'{x}[2,3] {y}[3]' for x, y in (
    ('f32', 'i64'), ('i64', 'f16'), ('f16', 'f32'), ('f16', 'f64'), ('i8', 'u8'), ('u8', 'i16'), ('i32', 'i64'), ('b', 'u8'), ('b', 'f16'),
)] + ['f32[2,3] f64[]', 'f16[2,3] f32[]', 'i32[3] i64[]', 'u8[3] i64[]', 'i64[] f16[3]', 'f32[] f64[]', 'b[] i8[2]', 'f32[0,3] f32[2,1,3]']
for op in 'add mul'.split():
    case(op, f'torch.{op}(a, b)', *MIXED)
for op in 'sub div maximum pow'.split():
    case(op, f'torch.{op}(a, b)', *[m.replace(']', ']+', 1) if op == 'pow' else m for m in MIXED if 'b[' not in m and '[]' not in m.split()[1] or op == 'div'])
for op in 'eq lt'.split():
    case(op, f'torch.{op}(a, b)', *MIXED, 'f32[3]=nan,1,inf f32[3]=nan,1,inf')
BIG = 'i64[4]=3038189505,-3038189505,4294967296,7'
case('wide', 'torch.maximum(a, b), torch.minimum(a, b), torch.clamp(a, 3, 4000000000), torch.clamp_min(a, 3), torch.clamp_max(a, 3), torch.sign(a), torch.abs(a), a.clamp(b, b + 1), torch.max(a), a.amin(0), torch.sort(a)[0], torch.topk(a, 2)[0], torch.relu(a), a % 7, a // 3, a > b, torch.where(a > b, a, b), a.sum(), torch.cumsum(a, 0), torch.fmax(a, b), torch.remainder(a, b), torch.div(a, b, rounding_mode="trunc"), a.float(), torch.unique(a), torch.bitwise_and(a, b), torch.sgn(a), torch.argmax(a)', BIG + ' i64[4]=3,3,3,3', BIG + ' i64[1]=3')
case('add', 'torch.add(a, b)', 'u8[3]=250,251,252 u8[3]=10,10,10', 'i8[2]=120,-120 i8[2]=10,-10')
case('mul', 'torch.mul(a, b)', 'u8[3]=50,51,52 u8[3]=10,10,10', 'i32[2]=100000,2 i32[2]=100000,3')
case('sub', 'torch.sub(a, b)', 'u8[3]=1,2,3 u8[3]=10,10,10')
for op in 'add sub mul div'.split():
    case(op, f'torch.{op}(a, b)', 'f32[4]=0,inf,-inf,nan f32[4]=0,inf,inf,1')
    case(f'{op}_', f'a.{op}_(b)\nreturn a', 'f64[2,3] f32[3]', 'f32[2,3] f32[]', *([] if op == 'div' else ['i32[3] i64[3]', 'i64[2,3] i64[1]']))
    case(f'{op}_', f'a.{op}_(3)\nreturn a', 'f32[3]', 'f16[3]', *([] if op == 'div' else ['i64[3]', 'u8[3]']))
case('mul', 'a * 2.5', 'u8[3]', 'b[3]', 'i8[2]')
case('add', 'a + 1', 'b[3]', 'u8[3]', 'i8[2]')
case('div', 'torch.div(a, b)', 'f32[4]=1,-1,0,0 f32[4]=0,0,0,2', 'u8[3] u8[3]+')
case('div', 'torch.div(a, b, rounding_mode="floor")', 'f32[4]=5,-5,5,-5 f32[4]=0.3,0.3,-0.3,-0.3', 'f64[2]=7,-7 f64[2]=2,2', 'i8[4]=7,-7,7,-7 i8[4]=2,2,-2,-2', 'i64[2]=7,-7 f32[2]=2,2')
case('div', 'torch.div(a, b, rounding_mode="trunc")', 'i32[4]=7,-7,7,-7 i32[4]=2,2,-2,-2', 'f64[2]=7,-7 f64[2]=2,2')
case('div', 'torch.div(a, 2.0, rounding_mode="floor")', 'i64[3]', 'f16[3]')
case('floor_divide', 'torch.floor_divide(a, b)', 'i8[4]=7,-7,7,-7 i8[4]=2,2,-2,-2', 'u8[2]=7,9 u8[2]=2,4', 'i64[2]=7,-7 f32[2]=2,2', 'f64[2]=7,-7 f64[2]=2,2')
case('floor_divide_', 'a.floor_divide_(b)\nreturn a', 'f32[2]=7,-7 f32[2]=2,2', 'i64[2]=7,-7 i64[2]=2,2')
case('remainder', 'torch.remainder(a, b)', 'i8[4]=7,-7,7,-7 i8[4]=2,2,-2,-2', 'u8[2]=7,9 u8[2]=2,4', 'f64[2]=7,-7 f64[2]=2.5,2.5', 'i64[2]=7,-7 f32[2]=2.5,2.5')
case('remainder', 'torch.remainder(a, -2.5)', 'f32[4]', 'i64[4]')
case('remainder', 'torch.remainder(7, a)', 'i64[3]+', 'f32[3]+')
case('fmod', 'torch.fmod(a, b)', 'i32[4]=7,-7,7,-7 i32[4]=2,2,-2,-2', 'f64[2]=7,-7 f64[2]=2.5,2.5')
case('fmod', 'torch.fmod(a, -2.5)', 'f32[4]', 'i64[4]')
case('pow', 'torch.pow(a, 2)', 'u8[3]<9', 'f16[3]', 'b[3]')
case('pow', 'torch.pow(a, 2.0)', 'i64[3]', 'f32[3]=-1,0,2')
case('pow', 'torch.pow(a, -0.5)', 'f32[3]+', 'f64[3]+')
case('pow', 'torch.pow(a, 1)', 'f32[3]', 'i32[2]')
case('pow', 'torch.pow(a, b)', 'f32[4]=-2,-2,0,0 f32[4]=2,3,0,2', 'i64[3]=-2,-2,3 i64[3]=2,3,0', 'f64[2]+ f64[2]')
case('float_power', 'torch.float_power(a, b)', 'f32[3]+ i64[3]', 'i64[2]+ i64[2]')
for op in 'maximum minimum fmax fmin'.split():
    case(op, f'torch.{op}(a, b)', 'f64[2,3] f32[3]', 'f16[3] f16[1]', 'f32[] i64[2]')
for op in 'maximum minimum'.split():
    case(op, f'torch.{op}(a, b)', 'i16[3] i8[3]', 'u8[3] i64[1]')
for op in 'bitwise_and bitwise_or bitwise_xor'.split():
    case(op, f'torch.{op}(a, b)', 'i16[3] i16[3]', 'i8[3] u8[3]', 'i32[2,3] i64[3]')
    case(f'{op}_', f'a.{op}_(b)\nreturn a', 'i64[3] i64[3]', 'b[3] b[3]')
for op in 'logical_and logical_or logical_xor'.split():
    case(f'{op}_', f'a.{op}_(b)\nreturn a', 'b[3] b[3]')
    case(op, f'torch.{op}(a, b)', 'u8[3]<2 i64[3]<2', 'f32[0] b[1]')
case('bitwise_left_shift', 'torch.bitwise_left_shift(a, b)', 'i32[3]+ i32[3]<8', 'u8[3]=1,200,3 u8[3]=1,1,7', 'i8[3]=1,2,-3 i8[3]=1,2,3')
case('bitwise_right_shift', 'torch.bitwise_right_shift(a, b)', 'i64[4]=100,-100,7,-1 i64[4]=2,2,1,3', 'i32[2]=-9,9 i32[2]=1,1', 'u8[3]=1,200,3 u8[3]=1,1,7', 'i8[3]=1,100,-3 i8[3]=1,2,7')
case('lshift', 'a << b, a >> b', 'i64[3]+ i64[3]<3', 'i32[3]+ i32[3]<3')
for op in 'eq ne lt le gt ge'.split():
    case(f'{op}_', f'a.{op}_(b)\nreturn a', 'f32[3]<2 f32[3]<2', 'i64[3]<2 i64[3]<2')
case('atan2', 'torch.arctan2(a, b)', 'f64[3] f64[3]', 'i64[3] i64[3]+')
case('xlogy', 'torch.special.xlogy(a, b)', 'f32[3]=0,1,2 f32[3]=0,2,3', 'i64[2]=0,2 f32[2]=0,2')
case('xlog1py', 'torch.special.xlog1py(a, b)', 'f32[4]=0,1,2,0 f32[4]=-1,2,3,nan')
case('logaddexp', 'torch.logaddexp(a, b), torch.logaddexp2(a, b)', 'f32[3] f32[3]', 'f32[2]=100,-100 f32[2]=-100,-100')
case('ldexp', 'torch.ldexp(a, b)', 'f32[3] i64[3]<4', 'f32[3] i32[3]<4')
case('copysign', 'torch.copysign(a, b)', 'f32[3]=1,-2,3 f32[3]=-0.0,0,-1', 'i64[2] f32[2]')
case('heaviside', 'torch.heaviside(a, b)', 'f32[2,3] f32[3]', 'i64[3]=-1,0,1 i64[3]')
case('lerp', 'torch.lerp(a, b, 1.5)', 'f64[3] f64[3]', 'f16[3] f16[3]')
case('addcmul', 'torch.addcmul(a, b, c)', 'i64[2,3] i64[3] i64[2,1]', 'f64[3] f64[3] f64[]', 'f16[3] f16[3] f16[3]')
case('addcdiv', 'torch.addcdiv(a, b, c)', 'f64[3] f64[3] f64[3]+')
case('addcmul_', 'a.addcmul_(b, c, value=-1.0)\nreturn a', 'f32[2,3] f32[3] f32[2,1]')
case('where', 'torch.where(a, b, c)', 'b[3] f16[3] f16[3]', 'b[3] f64[] f32[3]', 'b[3] b[3] b[3]', 'b[] f32[2] f32[2]', 'b[0,3] f32[3] f32[1,3]', 'b[3] u8[3] i8[3]')
case('where', 'torch.where(a, 1, b)', 'b[3] i64[3]', 'b[3] f32[3]', 'b[3] u8[3]')
case('masked_fill', 'a.masked_fill(b, 3)', 'f16[2,3] b[3]', 'u8[3] b[3]', 'b[3] b[3]', 'f32[] b[2]', 'i32[2,3] b[2,1]')
case('masked_select', 'torch.masked_select(a, b)', 'f32[3] b[2,3]', 'i64[2,3] b[2,1]', 'f32[] b[]=1', 'f16[3] b[3]')
case('masked_scatter', 'a.masked_scatter(b, c)', 'i64[2,3] b[3] i64[6]', 'f32[2,3] b[2,1] f32[8]')
case('isclose', 'torch.isclose(a, b)', 'f32[4]=1,inf,nan,2 f32[4]=1.000001,inf,nan,3', 'i64[3] i64[3]')
case('isclose', 'torch.isclose(a, b, equal_nan=True), torch.isclose(a, b)', 'f32[5]=1,inf,nan,2,inf f32[5]=1.000001,3,nan,3,inf')
case('equal', 'torch.equal(a, b), a', 'i64[2] i64[2]', 'f32[2] f32[3]')
case('gcd', 'torch.gcd(a, b)', 'i64[4]=12,-18,0,7 i64[4]=18,12,5,0', 'i32[2]=12,9 i32[2]=8,6')
case('lcm', 'torch.lcm(a, b)', 'i64[4]=12,-18,0,7 i64[4]=18,12,5,3', 'i32[2]=12,9 i32[2]=8,6')
case('cdist', 'torch.cdist(a, b, 0.0)', 'f32[3,2]<2 f32[4,2]<2')
case('cdist', 'torch.cdist(a, b, 3.0)', 'f32[3,2] f32[4,2]', 'f64[2,3,2] f64[2,1,2]')
case('dist', 'torch.dist(a, b, 1.0)', 'f32[3,4] f32[4]')
case('dist', 'torch.dist(a, b, float("inf"))', 'f32[3,4] f32[4]')
case('cosine_similarity', 'F.cosine_similarity(a, b, 0)', 'f64[3,4] f64[3,4]', 'f32[3] f32[3]')
case('pairwise_distance', 'F.pairwise_distance(a, b, float("inf"))', 'f32[3,4] f32[4]')
case('pdist', 'F.pdist(a, 1.0)', 'f32[4,3]')
case('cross', 'torch.cross(a, b)', 'f32[2,3] f32[2,3]', 'i64[3,3] i64[3,3]')
case('fmod_', 'a.fmod_(2.0)\nreturn a', 'f32[3]')
case('aliases', 'torch.subtract(a, b), torch.multiply(a, b), torch.divide(a, b), torch.true_divide(a, b), torch.not_equal(a, b), torch.less(a, b), torch.less_equal(a, b), torch.greater(a, b), torch.greater_equal(a, b), torch.negative(a), torch.absolute(a), torch.fix(a), torch.arctan(a), torch.arcsinh(a), torch.clip(a, -1.0, 1.0), torch.square(a)', 'f32[2,3] f32[3]', 'i64[2,3] i64[3]+')
case('aliases', 'torch.arcsin(a), torch.arccos(a), torch.arctanh(a), torch.arccosh(a + 2), torch.special.expit(a), torch.special.erf(a)', 'f32[3]u')

for sign in '& | ^ << >>'.split():
    case(f'i{sign}', f'a {sign}= b\nreturn a', 'i64[3]+ i64[3]<4', *(['b[2,3] b[3]'] if sign in '&|^' else []))
case('allclose', 'torch.allclose(a, b), torch.allclose(a, a), torch.allclose(a, a + 1e-9)', 'f32[3] f32[3]')

# --- reductions ------------------------------------------------------------------------------------------------------
case = family('reduce')
for op in 'sum prod'.split():
    case(op, f'torch.{op}(a, 0)', *[f'{t}[3,2]=1,2,3,1,2,1' for t in ALL], 'f32[0,2]')
for op in 'amax amin max min'.split():
    case(op, f'torch.{op}(a)', *[f'{t}[3,2]!' for t in ALL if t not in ('b', 'u8')], 'u8[5]', 'b[3]', 'f32[]')
for op in 'amax amin'.split():
    case(op, f'torch.{op}(a, [0, -1])', 'f16[2,3,2]!', 'u8[2,3,2]', 'b[2,3,2]')
for op in 'max min argmax argmin'.split():
    case(op, f'torch.{op}(a, -2)', 'f32[3,2]!', 'f64[3,2]!', 'i64[3,2]!', 'f16[3,2]!')
    case(op, f'torch.{op}(a, 0, True)', 'i8[3]!', 'i16[4]!', 'f32[1]', 'f32[]')
case('mean', 'a.mean([0, 2], True)', 'f64[2,3,4]', 'f16[2,3,4]', 'f32[0,3,2]', 'f32[2,0,3]')
case('mean', 'a.mean()', 'f32[0]', 'f64[3]')
case('mean', 'torch.mean(a, 0)', 'f32[]')
for op in 'std var'.split():
    case(op, f'torch.{op}(a, 0)', 'f64[3,2]', 'f16[3,2]', 'f32[1,3]', 'f32[0,3]')
    case(op, f'torch.{op}(a, [0, 1], correction=2)', 'f32[3,2]')
    case(op, f'torch.{op}(a, dim=1, correction=5)', 'f32[3,2]')
for op in 'any all'.split():
    case(op, f'torch.{op}(a, 0)', *[f'{t}[3,2]<2' for t in ('f32', 'f16', 'i32', 'u8')], 'b[0,2]', 'b[]')
    case(op, f'torch.{op}(a)', 'u8[3]<2', 'f64[2]<2')
for order in ('0', '1', '2', '3', 'float("inf")', '-float("inf")', '0.5'):
    case('linalg_vector_norm', f'torch.linalg.vector_norm(a, {order}, dim=-1)', 'f32[2,3]')
for order in ('1', '-1', 'float("inf")', '-float("inf")', '"fro"'):
    case('linalg_matrix_norm', f'torch.linalg.matrix_norm(a, {order}), torch.linalg.norm(a, {order}, dim=[1, 2], keepdim=True)', 'f32[2,3,4]')
case('linalg_norm', 'torch.linalg.norm(a, 3.0)', 'f32[4]')
case('linalg_norm', 'torch.linalg.norm(a, dim=[0, 1])', 'f64[2,3]', 'f32[2,3,2]')
case('norm', 'a.norm(2, 0), a.norm(0.0, 0), a.norm(-float("inf"), 0)', 'f32[4]', 'f32[]')
case('norm', 'torch.norm(a, p=2, dim=1, dtype=torch.float64)', 'f32[2,3]')
case('norm', 'torch.norm(a, dim=[0])', 'f64[2,3]', 'f16[2,3]')
case('logsumexp', 'torch.logsumexp(a, -1)', 'f64[2,3]', 'f32[]', 'f32[2,3]=-inf,-inf,-inf,1,2,-inf', 'f32[2]=inf,1', 'i64[2,3]')
case('logsumexp', 'torch.special.logsumexp(a, 0, True)', 'f32[2,3]')
for op in 'softmax log_softmax'.split():
    case(op, f'torch.special.{op}(a, 0)', 'f32[3,2]')
    case(op, f'torch.{op}(a, 1)', 'f16[2,3]', 'f64[2,3,2]', 'f32[2,3]=1e30,0,1,-1e30,5,-inf')
for op in 'cumsum cumprod'.split():
    case(op, f'torch.{op}(a, 0)', *[f'{t}[3,2]=1,2,3,1,2,1' for t in ALL], 'f32[]', 'f32[0,2]')
    case(op, f'torch.{op}(a, -1, dtype=torch.float64)', 'i32[2,3]')
    case(f'{op}_', f'a.{op}_(0)\nreturn a', 'f32[3,2]')
for op in 'cummax cummin'.split():
    case(op, f'torch.{op}(a, 0)', 'f64[4,2]!', 'i64[5]=3,1,3,4,4', 'i32[4]!', 'u8[4]', 'i8[4]', 'b[4]', 'f32[]')
case('logcumsumexp', 'torch.logcumsumexp(a, 0)', 'f32[4]=-100,50,-200,60', 'f64[3,2]', 'f32[]')
case('diff', 'torch.diff(a, 2, 0)', 'f32[5,2]', 'i32[4]')
case('diff', 'torch.diff(a, prepend=b, append=c)', 'f32[2,3] f32[2,1] f32[2,2]')
case('diff', 'torch.diff(a)', 'b[5]', 'u8[4]')
case('diff', 'torch.diff(a, 0, prepend=b)', 'f32[3] f32[1]')
for op in 'topk(a, 2)', 'topk(a, 2, 0, False)', 'topk(a, 0)', 'sort(a, -1)', 'sort(a, 0, True)', 'argsort(a, -1)', 'argsort(a, dim=0, descending=True, stable=True)', 'msort(a)', 'kthvalue(a, 1, 0)':
    case(op.split('(')[0], f'torch.{op}', 'f64[3,4]!', 'f16[3,4]!', 'i32[3,4]!', 'i8[3,4]!')
case('sort', 'torch.sort(a)', 'f32[]', 'f32[0]', 'u8[3]=3,1,2', 'b[2]=1,0')
case('sort', 'torch.sort(a, stable=True, dim=0)', 'i64[7]=3,1,3,1,2,2,3')
case('kthvalue', 'torch.kthvalue(a, 1)', 'f32[]')
case('median', 'torch.median(a)', 'f64[5]!', 'i32[4]!', 'f32[]')
case('median', 'torch.median(a, 0, True)', 'f64[5,2]!', 'f16[4]!')
case('nanmedian', 'torch.nanmedian(a)', 'f32[5]=1,nan,3,2,nan', 'f32[4]!', 'i64[5]!', 'f32[]', 'f32[2]=nan,nan')
case('nanmedian', 'torch.nanmedian(a, 1)[0]', 'f32[2,3]=1,nan,3,nan,nan,nan', 'f64[2,4]!')
case('mode', 'torch.mode(a, 0)[0]', 'f32[5]=1,2,2,1,2', 'f32[]', 'i32[5,2]<3')
for how in 'linear lower higher nearest midpoint'.split():
    case('quantile', f'torch.quantile(a, 0.4, dim=1, interpolation="{how}")', 'f32[2,6]!')
case('quantile', 'torch.quantile(a, self.q, 1)', 'f32[2,6]!', 'f32[2,5,2]!', buffers='q:f32[3]=0,0.5,0.9')
case('quantile', 'torch.quantile(a, self.q, 0, True)', 'f32[6,2]!', buffers='q:f32[2]=0.25,1')
case('quantile', 'torch.quantile(a, self.q)', 'f32[2,3]!', 'f32[4]=1,nan,2,3', buffers='q:f32[2]=0.25,0.75')
case('quantile', 'torch.quantile(a, 0.5)', 'f64[5]!')
case('nanquantile', 'torch.nanquantile(a, 0.5, 1)', 'f32[2,4]=1,nan,3,4,nan,nan,nan,nan')
case('nanquantile', 'torch.nanquantile(a, self.q)', 'f32[5]=1,nan,3,4,8', buffers='q:f32[2]=0.25,0.75')
case('nansum', 'torch.nansum(a, 0)', 'f32[2,3]=nan,1,2,3,nan,nan', 'i32[3]', 'b[3]')
case('nansum', 'torch.nansum(a, 1, True, dtype=torch.float64)', 'f32[2,3]=nan,1,2,3,nan,nan')
case('nanmean', 'torch.nanmean(a, 0)', 'f32[2,3]=nan,1,2,3,nan,nan')
case('count_nonzero', 'torch.count_nonzero(a, [0, 1])', 'f32[2,3]', 'b[2,3]')
case('aminmax', 'torch.aminmax(a)', 'i64[4]', 'f32[]', 'u8[3]', 'b[3]')
case('aminmax', 'torch.aminmax(a, dim=0)', 'f64[3,2]', 'f32[]')
case('unique', 'torch.unique(a)', 'f64[6]<3', 'i32[6]<3', 'u8[6]<3', 'b[4]', 'i64[0]')
case('unique_dim', 'torch.unique(a, dim=0)', 'i64[5,2]<2', 'f32[4,2]<2')
case('unique_dim', 'torch.unique(a, return_inverse=True, return_counts=True, dim=1)', 'i64[2,6]<2')
case('_unique', 'torch._unique(a, True, True)', 'i64[6]<3')
case('unique_consecutive', 'torch.unique_consecutive(a, return_inverse=True, return_counts=True, dim=0)', 'i64[5,2]=1,2,1,2,3,4,3,4,1,2', 'i64[4]=1,1,2,1')
case('unique_consecutive', 'torch.unique_consecutive(a, dim=1)', 'f32[2,4]=1,1,2,1,3,3,2,1')
case('unique_consecutive', 'torch.unique_consecutive(a, return_counts=True)', 'b[4]', 'f32[2,3]<2')
case('histc', 'torch.histc(a, 4)', 'f32[9]!', 'f32[3]=2,2,2', 'f64[9]!')
case('histc', 'torch.histc(a, 3, 0.0, 4.0)', 'f32[6]=0,1,2,4,5,-1')
case('bincount', 'torch.bincount(a)', 'i32[6]<4', 'u8[6]<4')
case('bucketize', 'torch.bucketize(a, self.b)', 'f64[2,3]', 'i64[3]', 'f32[]', buffers='b:f32[3]=-1,0,1')
case('bucketize', 'torch.bucketize(a, self.b, right=True)', 'i32[3]=-2,0,3', 'f32[0]', buffers='b:i32[3]=-2,0,3')
case('searchsorted', 'torch.searchsorted(a, b, side="right")', 'f32[4]=0,1,1,2 f32[2,3]=0,1,2,1,0.5,9', 'i64[3]=0,1,2 i64[2]=1,5')
case('searchsorted', 'torch.searchsorted(a, b, out_int32=True)', 'f32[2,3]=0,1,2,3,4,5 f32[2,2]=1,2,3,9')
case('trapz', 'torch.trapz(a, b), torch.trapezoid(a, b), torch.trapezoid(a, dx=0.5)', 'f32[2,5] f32[5]', 'f32[2,5] f32[2,5]')
case('cumulative_trapezoid', 'torch.cumulative_trapezoid(a, b, dim=0)', 'f32[5,2] f32[5]', 'f64[5] f64[5]')
case('renorm', 'torch.renorm(a, 1.0, 1, 0.5), torch.renorm(a, float("inf"), 0, 0.5)', 'f32[3,4]', 'f32[2,3,2]')
case('cov', 'torch.cov(a), torch.cov(a, correction=0)', 'f32[3,5]', 'f32[5]', 'f32[1,4]', 'i64[2,4]')
case('cov', 'torch.cov(a, fweights=self.f, aweights=self.w)', 'f32[2,4]', 'f32[4]', buffers='f:i64[4]=1,2,1,3 w:f32[4]+')
case('cov', 'torch.cov(a, fweights=self.f)', 'f32[2,4]', buffers='f:i64[4]=1,2,1,3')
case('corrcoef', 'torch.corrcoef(a)', 'f32[5]', 'f64[2,4]')
for how in 'sum mean max min prod'.split():
    case('segment_reduce', f'torch.segment_reduce(a, "{how}", lengths=b, axis=0)', 'f32[6] i64[3]=2,1,3', 'f32[6,2] i64[3]=4,1,1')
    case('segment_reduce', f'torch.segment_reduce(a, "{how}", lengths=b, unsafe=True, initial=1.5)', 'f32[6,2] i64[3]=4,0,2')
case('segment_reduce', 'torch.segment_reduce(a, "sum", offsets=b)', 'f32[6,2] i64[4]=0,2,2,6')

# --- shapes ----------------------------------------------------------------------------------------------------------
case = family('shape')
for op in 'a.view(3, 2)', 'a.transpose(0, 1)', 'a.permute(1, 0)', 'a.unsqueeze(1)', 'a.expand(2, 2, 3)', 'a.repeat(2, 1)', 'a[1:, ::2]', 'a[0]', 'torch.cat([a, a], -1)', 'torch.stack([a, a], 1)', 'torch.flip(a, [1])', 'torch.roll(a, 1, 0)', 'torch.tril(a)', 'F.pad(a, [1, 0, 0, 1])':
    case('types', op, *[f'{t}[2,3]' for t in ALL if t not in ('f32',)])
for op in 'a.reshape(-1, 3)', 'a.flatten()', 'a.transpose(0, 1)', 'torch.cat([a, a], 1)', 'a.unsqueeze(-1)', 'a[:, 1:]', 'a.repeat(2, 2)', 'torch.flip(a, [0, 1])', 'torch.roll(a, 1)', 'torch.stack([a, a])', 'a.expand(4, -1, -1)', 'a.chunk(2, 1)', 'F.pad(a, [1, 1, 2, 0])', 'torch.relu(a).sum(0)':
    case('empty', op, 'f32[0,3]')
case('as_strided', 'a.as_strided([2, 3], [1, 2], 1)', 'f32[2,4]')
case('swapaxes', 'a.swapaxes(0, -1), a.swapdims(-2, -1), a.moveaxis(0, 1), a.adjoint(), a.mH, a.mT', 'f32[2,3,4]')
case('T', 'a.H, a.T', 'f32[2,3]')
case('ravel', 'torch.ravel(a), a.permute(1, 0).ravel()', 'f32[2,3]')
case('view_as', 'a.view_as(b)', 'f32[2,2] f32[4]')
case('unsafe', 'torch.unsafe_chunk(a, 2, 1), torch.unsafe_split(a, 2, 1), torch.unsafe_split_with_sizes(a, [1, 3], 1), torch.split_with_sizes(a, [3, 1], -1)', 'f32[2,4]')
case('splits', 'torch.hsplit(a, 2), torch.vsplit(a, [1]), torch.dsplit(a, [1, 2])', 'f32[2,4,3]')
case('splits', 'torch.hsplit(a, [1, 3])', 'f32[5]')
case('tensor_split', 'torch.tensor_split(a, [1, 4, 9], -1)', 'f32[2,6]', 'i64[5]')
case('tensor_split', 'torch.tensor_split(a, self.i)', 'f32[5,2]', buffers='i:i64[2]=1,3')
case('concatenate', 'torch.concatenate([a, b], 0), torch.concat([a, b]), torch.row_stack([a, b])', 'f32[2,3] f32[1,3]')
case('cat', 'torch.cat([a, b, c], -2)', 'f32[2,3] f64[1,3] i64[2,3]', 'u8[1,2] i8[1,2] b[1,2]')
case('stack', 'torch.stack([a, b], -2)', 'f32[2,3] f64[2,3]', 'i64[2] f32[2]')
case('unflatten', 'torch.unflatten(a, 0, [-1, 2])', 'f32[4,3]', 'f32[4]')
case('squeeze', 'a.squeeze(0), a.squeeze(-1)', 'f32[]', 'f32[1]', 'f32[1,2,1]')
case('squeeze_', 'a.squeeze_(1)\nreturn a', 'f32[2,1]')
case('transpose_', 'a.transpose_(0, 1)\nreturn a', 'f32[2,3]')
case('t_', 'a.t_()\nreturn a', 'f32[2,3]')
case('diag', 'torch.diag(a, 1), torch.diag(a, -1)', 'f32[3]', 'f32[3,4]', 'i64[3,3]')
case('diagflat', 'torch.diagflat(a), torch.diagflat(a, -1)', 'f32[2,2]', 'f32[3]')
case('diag_embed', 'torch.diag_embed(a, 1, 0, 2), torch.diag_embed(a, -1, -1, 0)', 'f32[2,3]')
case('diagonal', 'torch.diagonal(a, -1), torch.diagonal(a, 2)', 'f32[3,4]')
case('linalg_diagonal', 'torch.linalg.diagonal(a), torch.linalg.diagonal(a, offset=1, dim1=0, dim2=2)', 'f32[2,3,4]')
case('trace', 'torch.trace(a)', 'i32[3,3]', 'f64[2,3]')
case('tril', 'torch.tril(a, 1), torch.triu(a, -1)', *[f'{t}[3,4]' for t in ('i32', 'f64', 'f16', 'u8')], 'f32[2,3,3]')
case('tril_indices', 'torch.tril_indices(3, 3, dtype=torch.int32), torch.triu_indices(2, 4, 1, dtype=torch.int64)', 'f32[1]')
case('rot90', 'torch.rot90(a, 2, [0, 1]), torch.rot90(a, -1, [1, 0]), torch.rot90(a, 3, [0, 1])', 'f32[3,2]')
case('roll', 'torch.roll(a, [7, -8], [1, 0])', 'f32[3,2]', 'b[3,2]')
case('roll', 'torch.roll(a, 3, 0)', 'f32[0,2]')
case('repeat_interleave', 'torch.repeat_interleave(a, 2, -1)', 'i64[2,3]', 'f32[3]')
case('repeat_interleave', 'torch.repeat_interleave(a, b)', 'f32[3] i64[3]=2,0,1', 'f32[3] i64[]=2')
case('meshgrid', 'torch.meshgrid([a, b, c], indexing="ij")', 'f32[2] f32[3] f32[]')
case('atleast', 'torch.atleast_1d([a, b]), torch.atleast_3d([a, b])', 'f32[] f32[2,3]')
case('block_diag', 'torch.block_diag([a, b, c])', 'f32[2,3] f32[2] f32[]')
case('cartesian_prod', 'torch.cartesian_prod([a]), torch.cartesian_prod([a, b, a])', 'i64[2] i64[2]')
case('combinations', 'torch.combinations(a, 3), torch.combinations(a, 2, True)', 'f32[4]', 'i64[4]')
case('vander', 'torch.vander(a), torch.vander(a, 4, True), torch.linalg.vander(a)', 'f32[3]', 'i64[3]')
case('column_stack', 'torch.column_stack([a, b])', 'f32[2] f64[2]')
case('linspace', 'torch.linspace(a, b, 4)', 'f32[] f32[]', 'i64[] f32[]')
case('linspace', 'torch.linspace(0, 10, 4, dtype=torch.int64), torch.linspace(1, 2, 1), torch.logspace(0.0, 1.0, 3, 2.0)', 'f32[1]')
case('logspace', 'torch.logspace(a, b, 3)', 'f32[] f32[]')
case('arange', 'torch.arange(3, dtype=torch.int32), torch.arange(1, 4, dtype=torch.float64), torch.arange(0.5, 3)', 'f32[1]')
case('arange', 'torch.arange(a.size(0) - 1, -1, -1)', 'f32[4]')
case('full', 'torch.full((2,), float("nan")), torch.full([], 3.0), torch.full([2], b.item())', 'f32[1] f32[]')
case('full_like', 'torch.full_like(a, -1), torch.zeros_like(a), torch.ones_like(a, dtype=torch.bool), torch.empty_like(a).fill_(1)', 'i8[2]', 'f16[2]', 'f64[0]')
case('fill', 'torch.fill(a, 3), torch.fill(a, b)', 'f32[2,3] f32[]', 'i64[2] i64[]')
case('eye', 'torch.eye(3, dtype=torch.int64), torch.eye(2, 3, dtype=torch.float64)', 'f32[1]')
case('shapes', 'a.view(a.size(1), -1), a.reshape(a.size(-1), 2, -1), a.view(-1, a.size(2)), a.new_zeros([a.size(0) + 1, a.size(1) * 2])', 'f32[2,3,4]')
case('unfold', 'a.unfold(0, 2, 3)', 'f32[7,2]', 'i64[5]')
case('windows', 'torch.hann_window(5, False), torch.hamming_window(5), torch.blackman_window(6), torch.bartlett_window(7), torch.bartlett_window(6, False), torch.kaiser_window(6), torch.kaiser_window(6, False, 3.0)', 'f32[1]')
case('windows', 'torch.hamming_window(5, True, 0.5, 0.4), torch.hann_window(1), torch.blackman_window(4, dtype=torch.float64)', 'f32[1]')
for mode in 'reflect replicate circular'.split():
    case('pad', f'F.pad(a, [1, 2], mode="{mode}")', 'f64[2,3,4]', 'f16[1,2,3]', 'f32[2,4]' if mode != 'circular' else 'f32[1,2,4]')
    case('pad', f'F.pad(a, [1, 1, 0, 2, 1, 1], mode="{mode}")', 'f32[1,2,3,4,3]')
case('pad', 'F.pad(a, [-1, 1], mode="replicate")', 'f32[1,2,4]')
case('pad', 'F.pad(a, [1, 1, -1, 0], "constant", float("-inf"))', 'f32[2,3,4]')
case('pad', 'torch.constant_pad_nd(a, [2, 0], 3)', 'i32[2,3]', 'f64[3]')
case('aten-pad', 'torch.ops.aten.reflection_pad1d(a, [1, 2]), torch.ops.aten.replication_pad1d(a, [3, 0])', 'f32[2,4]')
case('aten-pad', 'torch.ops.aten.reflection_pad2d(a, [1, 1, 1, 0]), torch.ops.aten.replication_pad2d(a, [2, 0, 1, 1]), torch.ops.aten._pad_circular(a, [1, 0, 0, 1])', 'f32[1,2,3,4]')
case('aten-pad', 'torch.ops.aten.reflection_pad3d(a, [1, 1, 1, 0, 0, 1]), torch.ops.aten.replication_pad3d(a, [1, 0, 0, 1, 2, 0])', 'f32[1,2,3,4,3]')
case('aliases', 'torch.ops.aten.alias(a), torch.ops.aten.detach_copy(a), torch.ops.aten.lift_fresh(a), torch.ops.aten.lift(a), torch.ops.aten.lift_fresh_copy(a), torch.ops.aten._reshape_alias(a, [3, 2], [2, 1]), torch.ops.aten._unsafe_view(a, [6])', 'f32[2,3]')
case('aliases', 'torch.ops.aten._to_copy(a, dtype=torch.float64), torch.ops.aten._cast_Float(a), torch.ops.aten._cast_Long(a), torch.ops.aten._cast_Int(a), torch.ops.aten._cast_Half(a), torch.ops.aten._cast_Double(a), torch.ops.aten._cast_Short(a), torch.ops.aten._cast_Char(a), torch.ops.aten._cast_Byte(a.abs())', 'f32[3]', 'i64[2]')
case('aliases', 'torch.ops.aten._is_all_true(a > 0), torch.ops.aten._is_any_true(a > 0), torch.empty_strided([2], [1]).fill_(3), a.new_empty_strided([2], [1]).fill_(4)', 'f32[3]')
case('aliases', 'torch.ops.aten._stack([a, a], 0)', 'f32[3]')
case('matrix_H', 'torch.ops.aten.matrix_H(a)', 'f32[2,3]')

# --- indexing --------------------------------------------------------------------------------------------------------
case = family('index')
for op in 'torch.gather(a, 0, b)', 'torch.index_select(a, 0, b)', 'torch.take(a, b)', 'a[b]':
    case('types', op, *[f'{t}[3] i64[2]<3' for t in ALL])
case('gather', 'torch.gather(a, 0, b)', 'f32[] i64[]=0', 'f32[] i64[2]=0,0', 'f32[3] i64[0]')
case('take_along_dim', 'torch.take_along_dim(a, b, 0), torch.take_along_dim(a, b)', 'f32[3,4] i64[1,4]<3')
for op in 'scatter(a, 0, b, c)', 'scatter_add(a, 0, b, c)', 'index_add(a, 0, b, c)', 'index_copy(a, 0, b, c)':
    case('types', f'torch.{op}', *[f'{t}[4] i64[3]=2,0,3 {t}[3]' for t in ('f64', 'f16', 'i64', 'i32', 'u8', 'b')], 'f32[] i64[]=0 f32[]')
case('scatter', 'torch.scatter(a, 1, b, c, reduce="multiply")', 'f32[3,4] i64[3,2]<4 f32[3,2]', 'i64[3,4] i64[3,2]<4 i64[3,2]')
case('scatter', 'torch.scatter(a, -1, b, 7)', 'i64[3,4] i64[3,1]<4', 'b[3,4] i64[3,1]<4')
for how in 'sum prod amax amin mean'.split():
    for include in (True, False):
        case('scatter_reduce', f'torch.scatter_reduce(a, 1, b, c, "{how}", include_self={include})', 'f32[2,4] i64[2,6]<3 f32[2,6]', 'i64[2,4] i64[2,6]<3 i64[2,6]', 'i32[2,4] i64[2,6]<3 i32[2,6]')
        how2 = {'sum': None}.get(how, how)
        if how2:
            case('index_reduce', f'torch.index_reduce(a, 0, b, c, "{how}", include_self={include})', 'f32[3,2] i64[5]<3 f32[5,2]', 'f64[4] i64[3]<3 f64[3]')
case('index_fill', 'torch.index_fill(a, 0, b, 3)', 'i64[4] i64[2]<4', 'f32[] i64[1]=0', 'b[4,2] i64[2]<4')
case('index_fill', 'torch.index_fill(a, -1, b, c)', 'f32[3,4] i64[2]<4 f32[]')
case('index_fill_', 'a.index_fill_(0, b, 1.0)\nreturn a', 'f32[4] i64[2]<4')
case('index_copy_', 'a.index_copy_(1, b, c)\nreturn a', 'f32[2,4] i64[2]=3,0 f32[2,2]')
case('scatter_add_', 'a[0].scatter_add_(0, b, c)\nreturn a', 'f32[2,4] i64[3]<4 f32[3]')
case('put', 'torch.put(a, b, c), torch.put(a, b, c, True)', 'f32[2,3] i64[2]=5,-6 f32[2]', 'i64[4] i64[2]=0,2 i64[2]')
case('put_', 'a.put_(b, c)\nreturn a', 'f32[2,3] i64[2]=1,4 f32[2]')
case('index_put', 'torch.index_put(a, [b], c, True)', 'i64[4,2] i64[3]=1,1,2 i64[3,2]', 'f16[4] i64[3]=1,1,2 f16[3]', 'b[4] i64[3]=1,1,2 b[3]', 'f64[4] i64[3]=-1,-1,2 f64[]')
case('index_put_', 'a[:, b] = 1.5\nreturn a', 'f32[2,4] b[4]', 'f64[2,4] i64[2]<4')
case('index_put_', 'a[b, :, c] = d\nreturn a', 'f32[3,2,4] i64[2]=0,2 i64[2]=1,3 f32[2,2]')
case('index_put_', 'a[b] += 1\nreturn a', 'f32[4] i64[2]=0,2', 'i64[4] b[4]')
case('index', 'a[b, None, c]', 'f32[4,3] i64[2]<4 i64[2]<3')
case('index', 'a[:, b, :, c]', 'f32[2,3,2,4] i64[2]<3 i64[2]<4')
case('index', 'a[b]', 'f32[4,3] b[4]=0,0,0,0', 'f32[0,3] b[0]', 'f32[3] i64[0]', 'f32[3,2] u8[3]=1,0,1')
case('index', 'a[-1], a[-2:], a[:, -1:], a[..., None]', 'f32[3,4]')
case('index', 'torch.ops.aten._unsafe_index(a, [b])', 'f32[4,3] i64[2]<4')
case('_index_put_impl_', 'torch.ops.aten._index_put_impl_(a, [b], c)\nreturn a', 'f32[4] i64[2]=0,2 f32[2]')
case('_unsafe_index_put', 'torch.ops.aten._unsafe_index_put(a, [b], c)', 'f32[4] i64[2]=0,2 f32[2]')
case('select_scatter', 'torch.select_scatter(a, b, -1, -2)', 'f32[3,4] f32[3]')
case('slice_scatter', 'torch.slice_scatter(a, b, 0, 0, 4, 2)', 'f32[5,2] f32[2,2]')
case('diagonal_scatter', 'torch.diagonal_scatter(a, b, 1), torch.diagonal_scatter(a, b, -1)', 'f32[3,3] f32[2]')
case('diagonal_scatter', 'torch.diagonal_scatter(a, b, 0, 0, 2)', 'f32[2,3,2] f32[3,2]')
case('nonzero', 'torch.nonzero(a)', 'f32[]=3', 'i32[4]<2', 'f16[3]', 'f32[0]')
case('nonzero', 'torch.where(a), torch.ops.aten.nonzero_numpy(a)', 'i64[2,3]<2')
case('isin', 'torch.isin(a, b, invert=True)', 'f32[4]<3 f32[2]<3', 'i32[4]<3 i32[1]')
case('one_hot', 'F.one_hot(a, 3).float()', 'i64[]=1', 'i64[0]')
case('embedding', 'F.embedding(a, self.w)', 'i64[0]', 'i64[2,2,2]<5', buffers='w:f16[5,4]')
case('embedding', 'F.embedding(a, self.w, max_norm=1.0)', 'i64[2,3]<5', buffers='w:f32[5,4]')
case('embedding_bag', 'F.embedding_bag(a, self.w, b, max_norm=1.0, norm_type=1.0, mode="sum")', 'i64[6]<5 i64[2]=0,4', buffers='w:f32[5,4]')
for mode in 'sum mean max'.split():
    case('embedding_bag', f'F.embedding_bag(a, self.w, b, mode="{mode}")', 'i64[4]<5 i64[3]=0,4,4', 'i64[0] i64[2]=0,0', buffers='w:f64[5,2]')
    case('embedding_bag', f'F.embedding_bag(a, self.w, mode="{mode}", padding_idx=-1)', 'i64[3,4]<5', buffers='w:f32[5,2]')
    case('_embedding_bag', f'torch._embedding_bag(self.w, a, b, mode={dict(sum=0, mean=1, max=2)[mode]})[0], torch._embedding_bag_forward_only(self.w, a, b, mode={dict(sum=0, mean=1, max=2)[mode]})[0]', 'i64[6]<5 i64[3]=0,2,2', buffers='w:f32[5,2]')
case('embedding_bag', 'F.embedding_bag(a, self.w, b, mode="sum", per_sample_weights=c, include_last_offset=True, padding_idx=0)', 'i64[6]<5 i64[4]=0,2,2,6 f32[6]', buffers='w:f32[5,2]')
case('embedding_bag', 'F.embedding_bag(a, self.w, mode="sum", per_sample_weights=b)', 'i64[2,3]<5 f32[2,3]', buffers='w:f32[5,2]')

# --- names that the compiler takes away --------------------------------------------------------------------------------
case = family('aliases')
for op, alias in (
    ('neg', 'negative'), ('abs', 'absolute'), ('trunc', 'fix'), ('atan', 'arctan'), ('asinh', 'arcsinh'), ('erf', 'special_erf'), ('expm1', 'special_expm1'),
    ('exp2', 'special_exp2'), ('sigmoid', 'special_expit'), ('sinc', 'special_sinc'),
):
    case(alias, f'torch.{op}(a)', 'f32[2,3]', rename=(op, alias))
for op, alias in (('asin', 'arcsin'), ('acos', 'arccos'), ('atanh', 'arctanh'), ('erfinv', 'special_erfinv'), ('log1p', 'special_log1p')):
    case(alias, f'torch.{op}(a)', 'f32[4]u', rename=(op, alias))
for op, alias in (('lgamma', 'special_gammaln'), ('digamma', 'special_digamma')):
    case(alias, f'torch.{op}(a)', 'f32[4]+', rename=(op, alias))
case('arccosh', 'torch.acosh(a)', 'f32[3]=1,1.5,9', rename=('acosh', 'arccosh'))
case('special_logit', 'torch.logit(a)', 'f32[3]=0.1,0.5,0.8', rename=('logit', 'special_logit'))
for op, alias in (
    ('sub', 'subtract'), ('mul', 'multiply'), ('div', 'divide'), ('div', 'true_divide'), ('atan2', 'arctan2'), ('xlogy', 'special_xlogy'), ('ne', 'not_equal'),
    ('lt', 'less'), ('le', 'less_equal'), ('gt', 'greater'), ('ge', 'greater_equal'),
):
    case(alias, f'torch.{op}(a, b)', 'f32[2,3]+ f32[3]+', *([] if op == 'xlogy' else ['i64[2,3] i64[3]+']), rename=(op, alias))
case('clip', 'torch.clamp(a, -0.5, 0.5)', 'f32[3]', rename=('clamp', 'clip'))
case('swapaxes', 'torch.transpose(a, 0, 1)', 'f32[2,3]', rename=('transpose', 'swapaxes'))
case('swapdims', 'torch.transpose(a, 0, 1)', 'f32[2,3]', rename=('transpose', 'swapdims'))
case('moveaxis', 'torch.movedim(a, 0, 1)', 'f32[2,3]', rename=('movedim', 'moveaxis'))
for alias in 'concat concatenate'.split():
    case(alias, 'torch.cat([a, a], 0)', 'f32[2,3]', rename=('cat', alias))
case('row_stack', 'torch.vstack([a, a])', 'f32[2,3]', rename=('vstack', 'row_stack'))
case('ger', 'torch.outer(a, a)', 'f32[3]', rename=('outer', 'ger'))
case('linalg_matmul', 'torch.matmul(a, a)', 'f32[3,3]', rename=('matmul', 'linalg_matmul'))
for op, alias in (('softmax', 'special_softmax'), ('log_softmax', 'special_log_softmax')):
    case(alias, f'torch.{op}(a, 1)', 'f32[2,3]', rename=(op, alias))
case('special_logsumexp', 'torch.logsumexp(a, [1])', 'f32[2,3]', rename=('logsumexp', 'special_logsumexp'))
for op, alias in (('linalg_inv', 'inverse'), ('linalg_det', 'det')):
    case(alias, f'torch.{op.replace("_", ".")}(a + b)', 'f32[3,3] f32[3,3]=5,0,0,0,6,0,0,0,7', rename=(op, alias))
case('matrix_power', 'torch.linalg.matrix_power(a, 3)', 'f32[3,3]', rename=('linalg_matrix_power', 'matrix_power'))
case('adjoint', 'a.mT', 'f32[2,3]', rename=('mT', 'adjoint'))
case('native_channel_shuffle', 'torch.channel_shuffle(a, 2)', 'f32[1,4,2,2]', rename=('channel_shuffle', 'native_channel_shuffle'))

# --- operators that code calls by name, and others seldom do ----------------------------------------------------------
case = family('named')
A = 'torch.ops.aten.'
for op in '__iand__ __ior__ __ixor__'.split():
    case(op, f'b = {A}{op}(a, b)\nreturn a, b', 'i64[3] i64[3]', 'b[2,3] b[3]')
case('_softmax', f'{A}_softmax(a, 1, False), {A}_log_softmax(a, -1, False), {A}_safe_softmax(a, 1)', 'f32[2,3]')
case('_safe_softmax', f'{A}_safe_softmax(a, -1)', 'f32[2,3]=-inf,-inf,-inf,1,-inf,2')
case('frobenius_norm', f'{A}frobenius_norm(a, [1], True)', 'f32[2,3]')
case('data', f'{A}data(a)', 'f32[3]')
case('embedding_renorm_', 'w = self.w.clone()\ntorch.embedding_renorm_(w, a, 1.0, 2.0)\nreturn F.embedding(a, w)', 'i64[2,3]<5', buffers='w:f32[5,4]')
case('_autocast', f'{A}_autocast_to_reduced_precision(a, False, False, 5, 15), {A}_autocast_to_full_precision(a, False, False)', 'f32[3]')
case('unique_dim_consecutive', f'{A}unique_dim_consecutive(a, 0, True, True)', 'i64[5,2]=1,2,1,2,3,4,3,4,1,2')
case('vdot', 'torch.vdot(a, b)', 'f32[4] f32[4]', 'i64[4] i64[4]')
case('chain_matmul', f'{A}chain_matmul([a, b, a])', 'f32[2,3] f32[3,2]')
case('linalg_vecdot', 'torch.linalg.vecdot(a, b)', 'f32[2,3] f32[3]', 'f64[2,3] f64[2,3]')
case('_convolution_mode', f'{A}_convolution_mode(a, self.w, None, [1, 1], "same", [1, 1], 1)', 'f32[1,3,5,5]', buffers='w:f32[4,3,3,3]')
case('thnn_conv2d', f'{A}thnn_conv2d(a, self.w, [3, 3])', 'f32[1,3,5,5]', buffers='w:f32[4,3,3,3]')
case('_weight_norm_interface', f'{A}_weight_norm_interface(self.v, self.g, 0)[0]', 'f32[1]', buffers='v:f32[3,4] g:f32[3,1]')
case('_prelu_kernel', f'{A}_prelu_kernel(a, self.w)', 'f32[2,3]', buffers='w:f32[1,3]')
case('max_pool1d_with_indices', f'{A}max_pool1d_with_indices(a, [3], [2], [1])', 'f32[2,3,9]!')
case('max_pool3d_with_indices', f'{A}max_pool3d_with_indices(a, [2, 2, 2])', 'f32[1,2,4,4,4]!')
case('_adaptive_avg_pool', f'{A}_adaptive_avg_pool2d(a, [2, 3])', 'f32[1,2,5,7]')
case('_adaptive_avg_pool', f'{A}_adaptive_avg_pool3d(a, [1, 2, 2])', 'f32[1,2,3,5,4]')
case('adaptive_max_pool3d', 'F.adaptive_max_pool3d_with_indices(a, [2, 1, 3])', 'f32[1,2,4,3,5]!')
case('adaptive_max_pool2d', 'F.adaptive_max_pool2d_with_indices(a, [3, 2])', 'f32[1,2,7,5]!', 'f32[2,4,4]!')
case('adaptive_max_pool1d', 'F.adaptive_max_pool1d_with_indices(a, 3)', 'f32[1,2,7]!')
case('max_unpool3d', f'x, i = {A}max_pool3d_with_indices(a, [2, 2, 2])\nreturn F.max_unpool3d(x, i, 2)', 'f32[1,2,4,4,4]!')
case('feature_alpha_dropout', f'{A}feature_alpha_dropout(a, 0.5, False), {A}native_dropout(a, 0.5, False)[0]', 'f32[1,3,4]')
S = 'm:f32[3] v:f32[3]+ w:f32[3] b:f32[3]'
case('native_batch_norm', f'{A}native_batch_norm(a, self.w, self.b, self.m, self.v, False, 0.1, 1e-5)[0]', 'f32[2,3,4]', buffers=S)
case('native_batch_norm', f'{A}_native_batch_norm_legit(a, self.w, self.b, self.m, self.v, False, 0.1, 1e-5)[0], {A}_native_batch_norm_legit_no_training(a, self.w, self.b, self.m, self.v, 0.1, 1e-5)[0]', 'f32[2,3,4]', buffers=S)
case('native_group_norm', f'{A}native_group_norm(a, self.w, self.b, 2, 4, 9, 2, 1e-5)', 'f32[2,4,3,3]', buffers='w:f32[4] b:f32[4]')
case('native_layer_norm', f'{A}native_layer_norm(a, [4], self.w, None, 1e-5)', 'f32[2,3,4]', buffers='w:f32[4]')
case('batch_norm', 'F.batch_norm(a, self.m, self.v, self.w, self.b)', 'f64[2,3]', 'f64[2,3,4]', buffers='m:f64[3] v:f64[3]+ w:f64[3] b:f64[3]')
case('layer_norm', 'F.layer_norm(a, [3], self.w)', 'f64[2,3]', buffers='w:f64[3]')
case('group_norm', 'F.group_norm(a, 2, None, self.b)', 'f64[2,4,3]', buffers='b:f64[4]')
case('instance_norm', 'F.instance_norm(a)', 'f64[2,3,4]')
for op, rest in (('math', ''), ('flash_attention_for_cpu', '')):
    case(f'_scaled_dot_product_{op}', f'{A}_scaled_dot_product_{"attention_math" if op == "math" else op}(a, b, c)[0]', 'f32[2,2,3,4] f32[2,2,5,4] f32[2,2,5,4]')
case('_scaled_dot_product_attention_math', f'{A}_scaled_dot_product_attention_math(a, b, c, None, 0.0, True)', 'f32[2,2,4,4] f32[2,2,4,4] f32[2,2,4,4]')
for mask in ('b[3,5]=1,0,1,1,0,0,0,0,0,0,1,1,1,1,1', 'f32[3,5]=0,-inf,0,1,0,-inf,-inf,-inf,-inf,-inf,0,0,0,0,2', 'b[1,1,1,5]=0,0,0,0,0'):
    case('scaled_dot_product_attention', 'F.scaled_dot_product_attention(a, b, c, d)', f'f32[2,2,3,4] f32[2,2,5,4] f32[2,2,5,4] {mask}')
case('scaled_dot_product_attention', 'F.scaled_dot_product_attention(a, b, c)', 'f64[2,3,4] f64[2,5,4] f64[2,5,4]', 'f16[2,3,4] f16[2,5,4] f16[2,5,4]', 'f32[3,4] f32[5,4] f32[5,2]', 'f32[2,1,3,4] f32[1,2,5,4] f32[2,2,5,4]')
MHA = 'w:f32[24,8] b:f32[24] p:f32[8,8] q:f32[8]'
case('_native_multi_head_attention', f'{A}_native_multi_head_attention(a, a, a, 8, 2, self.w, self.b, self.p, self.q, None, False)[0]', 'f32[2,3,8]', buffers=MHA)
case('_native_multi_head_attention', f'{A}_native_multi_head_attention(a, a, a, 8, 2, self.w, self.b, self.p, self.q, None, True, True)', 'f32[2,3,8]', buffers=MHA)
case('_native_multi_head_attention', f'{A}_native_multi_head_attention(a, a, a, 8, 2, self.w, self.b, self.p, self.q, b, True, False, 1)', 'f32[2,3,8] b[2,3]=0,0,1,0,1,1', buffers=MHA)
case('_native_multi_head_attention', f'{A}_native_multi_head_attention(a, a, a, 8, 2, self.w, self.b, self.p, self.q, b, False, False, 0)[0]', 'f32[2,3,8] b[3,3]=0,1,1,0,0,1,0,0,0', buffers=MHA)
LAYER = MHA + ' n:f32[8] m:f32[8] u:f32[8] t:f32[8] w1:f32[16,8] b1:f32[16] w2:f32[8,16] b2:f32[8]'
for gelu in (True, False):
    for first in (True, False):
        case('_transformer_encoder_layer_fwd', f'{A}_transformer_encoder_layer_fwd(a, 8, 2, self.w, self.b, self.p, self.q, {gelu}, {first}, 1e-5, self.n, self.m, self.u, self.t, self.w1, self.b1, self.w2, self.b2)', 'f32[2,3,8]', buffers=LAYER)
case('_transformer_encoder_layer_fwd', f'{A}_transformer_encoder_layer_fwd(a, 8, 2, self.w, self.b, self.p, self.q, False, False, 1e-5, self.n, self.m, self.u, self.t, self.w1, self.b1, self.w2, self.b2, b, 1)', 'f32[2,3,8] b[2,3]=0,0,1,0,1,1', buffers=LAYER)
case('_masked_softmax', f'{A}_masked_softmax(a, b, -1, 0)', 'f32[2,2,3,3] b[3,3]=0,1,1,0,0,1,0,0,0')
case('_masked_softmax', f'{A}_masked_softmax(a, b, -1, 1)', 'f32[2,2,3,3] b[2,3]=0,0,1,0,1,1')
case('_upsample_nearest_exact', f'{A}_upsample_nearest_exact1d(a, [7])', 'f32[1,2,4]')
case('_upsample_nearest_exact', f'{A}_upsample_nearest_exact3d(a, [3, 5, 4])', 'f32[1,1,2,3,4]')
case('_upsample_bicubic2d_aa', 'F.interpolate(a, size=[4, 3], mode="bicubic", antialias=True)', 'f32[1,2,9,8]')
case('upsample', f'{A}upsample_linear1d(a, [7], True), {A}upsample_nearest1d(a, [6])', 'f32[1,2,4]')
case('upsample', f'{A}upsample_trilinear3d(a, [3, 5, 4], True), {A}upsample_nearest3d(a, [3, 5, 4])', 'f32[1,1,2,3,3]')
case('upsample', f'{A}upsample_bicubic2d(a, [5, 7], True), {A}upsample_bicubic2d(a, [2, 3], False)', 'f32[1,1,4,5]')
case('interpolate', 'F.interpolate(a, size=[5, 7], mode="bilinear")', 'f64[1,1,3,4]', 'f16[1,1,3,4]')
case('interpolate', 'F.interpolate(a, size=[5, 7])', 'f64[1,1,3,4]', 'u8[1,1,3,4]')
case('interpolate', 'F.interpolate(a, size=[3, 2], mode="area")', 'f32[1,2,6,5]')
case('interpolate', 'F.interpolate(a, scale_factor=[2.0, 0.5], mode="bilinear", align_corners=True)', 'f32[1,2,3,6]')
case('interpolate', 'F.interpolate(a, size=[1, 1], mode="bilinear", align_corners=True), F.interpolate(a, size=[1, 5], mode="bicubic")', 'f32[1,2,4,5]')
case('grid_sampler', f'{A}grid_sampler_2d(a, b, 0, 0, False), {A}grid_sampler_2d(a, b, 1, 1, True)', 'f32[1,2,4,5] f32[1,3,3,2]')
case('grid_sampler', f'{A}grid_sampler_3d(a, b, 0, 1, True)', 'f32[1,2,3,4,5] f32[1,2,2,2,3]')
case('affine_grid', 'F.affine_grid(a, [2, 1, 2, 3, 4], False)', 'f32[2,3,4]')
M = 'm:f32[3,3]=5,0,0,0,6,0,0,0,7'
case('linalg', 'torch.linalg.inv_ex(a + self.m)[0], torch.linalg.solve(a + self.m, b), torch.linalg.solve(a + self.m, b[:, 0]), torch.logdet(a * 0.1 + self.m)', 'f32[3,3] f32[3,2]', buffers=M)
case('linalg', 'torch.linalg.solve_ex(a + self.m, b)[0], torch.linalg.solve(a + self.m, b, left=False)', 'f32[3,3] f32[3,3]', buffers=M)
case('linalg', 'torch.linalg.slogdet(a + self.m), torch.linalg.det(a + self.m), torch.linalg.inv(a + self.m)', 'f32[2,3,3]', 'f64[3,3]', buffers='m:f32[3,3]=5,0,0,0,6,0,0,0,7')
case('matrix_power', 'torch.linalg.matrix_power(a + self.m, 0), torch.linalg.matrix_power(a + self.m, -2), torch.linalg.matrix_power(a + self.m, 5)', 'f32[3,3]', 'f32[2,3,3]', buffers=M)

# --- matrices ----------------------------------------------------------------------------------------------------------
case = family('nn')
for t in ('f64', 'f16', 'i64', 'i32'):
    case('matmul', 'torch.matmul(a, b)', f'{t}[2,3] {t}[3,4]', f'{t}[2,2,3] {t}[3]')
case('matmul', 'torch.matmul(a, b)', 'f32[0,3] f32[3,4]', 'f32[2,0] f32[0,4]', 'f32[2,1,3,4] f32[3,4,2]')
case('addmm', 'torch.addmm(a, b, c, beta=2, alpha=3)', 'i64[2,4] i64[2,3] i64[3,4]', 'f64[4] f64[2,3] f64[3,4]', 'f32[2,4] f32[2,0] f32[0,4]')
case('baddbmm', 'torch.baddbmm(a, b, c)', 'f64[2,1,4] f64[2,2,3] f64[2,3,4]', 'i64[2,2,4] i64[2,2,3] i64[2,3,4]')
case('addbmm', 'torch.addbmm(a, b, c, beta=0.5, alpha=2)', 'f32[2,4] f32[3,2,3] f32[3,3,4]')
case('addmv', 'torch.addmv(a, b, c, beta=0.0, alpha=2)', 'f32[2] f32[2,3] f32[3]')
case('addr', 'torch.addr(a, b, c, beta=0.5, alpha=2)', 'f32[2,3] f32[2] f32[3]', 'f64[3] f64[2] f64[3]')
case('inner', 'torch.inner(a, b)', 'f32[2,3] f32[4,3]', 'f32[] f32[3]')
case('kron', 'torch.kron(a, b)', 'f32[2,3] f32[2]', 'i64[2] i64[2,2]')
for equation, specs in (
    ('ii->i', 'f32[3,3]'), ('ij->', 'i32[2,3]'), ('ij->ji', 'f32[2,3]'), ('...i,...i->...', 'f32[2,3,4] f32[2,3,4]'), ('i,i,i->', 'f32[3] f32[3] f32[3]'), ('bi,ij,bj->b', 'f32[2,3] f32[3,4] f32[2,4]'),
    ('ij,j', 'f32[2,3] f32[3]'), ('nchw,co->nohw', 'f32[1,3,2,2] f32[3,4]'), ('abc,abd->acd', 'f64[2,3,2] f64[2,3,4]'), ('bnd,bmd->bnm', 'f32[2,1,4] f32[1,5,4]'), ('i,j->ij', 'i64[2] i64[3]'),
    ('bqhd,bkhd->bhqk', 'f32[2,3,2,4] f32[2,5,2,4]'), ('bhqk,bkhd->bqhd', 'f32[2,2,3,5] f32[2,5,2,4]'),
):
    case('einsum', f'torch.einsum("{equation}", [{", ".join("abc"[:len(specs.split())])}])', specs)
case('tensordot', 'torch.ops.aten.tensordot(a, b, [-1], [0])', 'f32[2,3] f32[3,4]', 'f64[2,3] f64[3]')
for t in ('f64', 'f16'):
    case('conv1d', 'F.conv1d(a, self.w)', f'{t}[1,2,5]', buffers=f'w:{t}[3,2,2]')
    case('conv_transpose1d', 'F.conv_transpose1d(a, self.w)', f'{t}[1,2,4]', buffers=f'w:{t}[2,3,2]')
    case('max_pool1d', 'F.max_pool1d(a, 2)', f'{t}[1,2,5]')
    case('avg_pool1d', 'F.avg_pool1d(a, 2)', f'{t}[1,2,5]')
    case('max_pool2d', 'F.max_pool2d(a, 2)', f'{t}[1,2,4,5]')
    case('avg_pool2d', 'F.avg_pool2d(a, 2)', f'{t}[1,2,4,5]')
    case('adaptive_avg_pool2d', 'F.adaptive_avg_pool2d(a, [2, 2])', f'{t}[1,2,4,5]')
    case('pixel_shuffle', 'F.pixel_shuffle(a, 2)', f'{t}[4,2,2]')
case('conv1d', 'F.conv1d(a, self.w, self.b, 1, 1, 1, 2)', 'f32[2,4,5]', 'f32[4,5]', buffers='w:f32[6,2,3] b:f32[6]')
case('conv3d', 'F.conv3d(a, self.w, padding="same")', 'f32[1,2,3,4,3]', buffers='w:f32[2,2,2,3,1]')
case('conv3d', 'F.conv3d(a, self.w, None, 1, 1, 1, 2)', 'f32[2,3,3,3]', buffers='w:f32[2,1,2,2,2]')
case('conv_transpose1d', 'F.conv_transpose1d(a, self.w, self.b, 3, 1, 2, 2, 2)', 'f32[2,4,5]', buffers='w:f32[4,2,3] b:f32[4]')
case('conv_transpose2d', 'F.conv_transpose2d(a, self.w, None, (3, 2), (1, 2), (2, 3), 1, (4, 4))', 'f32[1,2,4,4]', buffers='w:f32[2,2,3,2]')
case('conv_transpose2d', 'F.conv_transpose2d(a, self.w)', 'f32[2,3,3]', buffers='w:f32[2,2,3,2]')
for body in ('F.max_pool1d(a, 3, 2, 1, ceil_mode=True)', 'F.avg_pool1d(a, 3, 2, 1, ceil_mode=True)', 'F.avg_pool1d(a, 3, 2, 1, True, False)', 'F.max_pool1d(a, 2, 1, 0, 3)'):
    case('pool1d', body, 'f32[2,3,8]', 'f32[3,7]')
case('max_pool2d', 'F.max_pool2d(a, (3, 2), 2, 1, (1, 2), ceil_mode=True)', 'f32[1,2,6,6]', 'f32[1,2,3,6]')
for body in ('F.max_pool3d(a, 3, 2, 1, ceil_mode=True)', 'F.avg_pool3d(a, 3, 2, 1, ceil_mode=True)', 'F.avg_pool3d(a, 2, 2, 1, False, False)', 'F.avg_pool3d(a, 2, divisor_override=5)'):
    case('pool3d', body, 'f32[1,2,4,5,4]')
case('adaptive_avg_pool3d', 'F.adaptive_avg_pool3d(a, [2, 3, 2])', 'f32[1,2,4,5,3]')
case('adaptive_avg_pool1d', 'F.adaptive_avg_pool1d(a, 5)', 'f32[2,3]', 'f32[1,2,5]')
case('max_unpool2d', 'x, i = F.max_pool2d_with_indices(a, 2)\nreturn F.max_unpool2d(x, i, 2, output_size=[5, 5])', 'f32[1,2,5,5]!')
case('max_unpool1d', 'x, i = F.max_pool1d_with_indices(a, 2)\nreturn F.max_unpool1d(x, i, 2)', 'f32[1,2,6]!')
case('lp_pool', 'F.lp_pool1d(a, 2.0, 2)', 'f32[1,2,6]+')
case('unfold-im2col', 'F.unfold(a, 2)', 'f32[2,4,5]', 'f64[1,2,3,3]')
case('fold-col2im', 'F.fold(a, [4, 4], 2, padding=1, dilation=2)', 'f32[1,4,16]')
case('normalize', 'F.normalize(a, 3.0, 0)', 'f64[2,3]', 'f32[2,3]=0,0,0,1,2,3')
case('local_response_norm', 'F.local_response_norm(a, 2, 0.1, 0.5, 2.0)', 'f32[2,3,4]')
case('rms_norm', 'torch.rms_norm(a, [3, 4], self.w)', 'f32[2,3,4]', buffers='w:f32[3,4]')
case('bilinear', 'F.bilinear(a, b, self.w)', 'f32[3] f32[4]', 'f32[2,5,3] f32[2,5,4]', buffers='w:f32[5,3,4]')
case('linear', 'F.linear(a, self.w, self.b)', 'f64[2,3]', 'f64[2,2,3]', buffers='w:f64[4,3] b:f64[4]')
case('linear', 'F.linear(a, self.w)', 'f16[2,3]', 'f16[2,2,3]', buffers='w:f16[4,3]')
case('linear', 'F.linear(a, self.w)', 'f32[2,3]', 'f32[3]', buffers='w:f32[3]')

# --- recurrent ---------------------------------------------------------------------------------------------------------
case = family('recurrent')


def weights(gates, layers=1, both=False, bias=True, projection=0, inputs=3, hidden=4):
    """Buffers of a recurrent network, and the list of them that its operator takes."""
    names, directions, out = [], 2 if both else 1, projection or hidden
    for layer in range(layers):
        for direction in range(directions):
            width = inputs if layer == 0 else out * directions
            shapes = [[gates * hidden, width], [gates * hidden, out]] + [[gates * hidden]] * (2 * bias) + [[projection, hidden]] * bool(projection)
            names += [f'w{layer}{direction}{i}:f32[{",".join(map(str, shape))}]u' for i, shape in enumerate(shapes)]
    return ' '.join(names), '[' + ', '.join('self.' + name.split(':')[0] for name in names) + ']'


for op, gates in (('lstm', 4), ('gru', 3), ('rnn_tanh', 1), ('rnn_relu', 1)):
    for layers, both, bias, first in ((1, False, True, False), (2, True, True, True), (1, True, False, False), (2, False, False, True)):
        buffers, listed = weights(gates, layers, both, bias)
        rows = layers * (2 if both else 1)
        states = f'[b, c]' if op == 'lstm' else 'b'
        case(op, f'torch.{op}(a, {states}, {listed}, {bias}, {layers}, 0.0, False, {both}, {first})', f'f32[2,5,3] f32[{rows},{2 if first else 5},4]' + (f' f32[{rows},{2 if first else 5},4]' if op == 'lstm' else ''), buffers=buffers)
    cell, two = weights(gates)[0], weights(gates)[1][1:-1]
    states = '[b, c]' if op == 'lstm' else 'b'
    case(f'{op}_cell', f'torch.{op}_cell(a, {states}, {two})', 'f32[2,3] f32[2,4]' + (' f32[2,4]' if op == 'lstm' else ''), buffers=cell)
    case(f'{op}_cell', f'torch.{op}_cell(a, {states}, {", ".join(two.split(", ")[:2])}, None, None)', 'f32[2,3] f32[2,4]' + (' f32[2,4]' if op == 'lstm' else ''), buffers=' '.join(cell.split()[:2]))
    case(f'{op}-packed', f'p = torch._pack_padded_sequence(a, torch.tensor([4, 3, 1]), False)\nreturn torch.{op}(p[0], p[1], {states}, {weights(gates, 1, True)[1]}, True, 1, 0.0, False, True)', 'f32[4,3,3] f32[2,3,4]' + (' f32[2,3,4]' if op == 'lstm' else ''), buffers=weights(gates, 1, True)[0])
for layers, both in ((1, False), (2, True)):
    buffers, listed = weights(4, layers, both, True, 2)
    rows = layers * (2 if both else 1)
    case('lstm-projection', f'torch.lstm(a, [b, c], {listed}, True, {layers}, 0.0, False, {both}, True)', f'f32[2,5,3] f32[{rows},2,2] f32[{rows},2,4]', buffers=buffers)
case('pad_packed', 'p = torch._pack_padded_sequence(a, b, True)\nreturn torch._pad_packed_sequence(p[0] * 2, p[1], True, -1.0, 4)', 'f32[3,4,2] i64[3]=4,2,1')
case('pad_packed', 'p = torch._pack_padded_sequence(a, b, False)\nreturn torch._pad_packed_sequence(p[0], p[1], False, 0.0, 4)[0]', 'f32[4,3,2] i64[3]=4,4,2')

# --- losses ------------------------------------------------------------------------------------------------------------
case = family('losses')
for R in (0, 1, 2):  # none, mean, sum
    for name, extra in (('mse_loss', ''), ('l1_loss', ''), ('smooth_l1_loss', ''), ('smooth_l1_loss', ', 0.5'), ('huber_loss', ''), ('huber_loss', ', 0.3')):
        case(name, f'{A}{name}(a, b, {R}{extra})', 'f32[2,3] f32[2,3]')
    case('soft_margin_loss', f'{A}soft_margin_loss(a, b, {R})', 'f32[2,3] f32[2,3]=1,-1,1,1,-1,-1')
    case('margin_ranking_loss', f'{A}margin_ranking_loss(a, b, c, 0.3, {R})', 'f32[3] f32[3] f32[3]=1,-1,1')
    case('hinge_embedding_loss', f'{A}hinge_embedding_loss(a, b, 0.7, {R})', 'f32[2,3] f32[2,3]=1,-1,1,1,-1,-1')
    case('cosine_embedding_loss', f'{A}cosine_embedding_loss(a, b, c, 0.1, {R})', 'f32[3,4] f32[3,4] i64[3]=1,-1,-1')
    case('triplet_margin_loss', f'{A}triplet_margin_loss(a, b, c, 1.0, 2.0, 1e-6, False, {R})', 'f32[3,4] f32[3,4] f32[3,4]')
    case('triplet_margin_loss', f'{A}triplet_margin_loss(a, b, c, 0.5, 1.0, 1e-6, True, {R})', 'f32[3,4] f32[3,4] f32[3,4]')
    case('poisson_nll_loss', f'{A}poisson_nll_loss(a, b, True, True, 1e-8, {R}), {A}poisson_nll_loss(a.abs(), b, False, False, 1e-8, {R})', 'f32[2,3] f32[2,3]+')
    case('binary_cross_entropy', f'{A}binary_cross_entropy(a, b, None, {R})', 'f32[4]=0.1,0,1,0.7 f32[4]=0,1,1,0.4')
    case('binary_cross_entropy', f'{A}binary_cross_entropy(a, b, c, {R})', 'f32[3]=0.1,0.4,0.7 f32[3]=0,1,0.4 f32[3]+')
    case('binary_cross_entropy_with_logits', f'{A}binary_cross_entropy_with_logits(a, b, None, None, {R})', 'f32[2,3] f32[2,3]=0,1,0.4,1,0,0.5', 'f32[2]=100,-100 f32[2]=0,1')
    case('binary_cross_entropy_with_logits', f'{A}binary_cross_entropy_with_logits(a, b, c, d, {R})', 'f32[2,3] f32[2,3]=0,1,0.4,1,0,0.5 f32[3]+ f32[3]+')
    for log in (True, False):
        case('kl_div', f'{A}kl_div(a, b, {R}, log_target={log})', 'f32[2,3] f32[2,3]=0,0.2,0.8,0.3,0.3,0.4')
    case('nll_loss_nd', f'{A}nll_loss_nd(a, b, None, {R})', 'f32[3,4] i64[3]<4', 'f32[2,4,3] i64[2,3]<4', 'f32[2,4,3,2] i64[2,3,2]<4', 'f32[4] i64[]=2')
    case('nll_loss', f'{A}nll_loss(a, b, c, {R}, 1)', 'f32[3,4] i64[3]=0,1,3 f32[4]+')
    case('nll_loss2d', f'{A}nll_loss2d(a, b, None, {R})', 'f32[2,4,3,2] i64[2,3,2]<4')
    case('cross_entropy_loss', f'{A}cross_entropy_loss(a, b, None, {R})', 'f32[3,4] i64[3]<4', 'f32[2,4,3] i64[2,3]<4', 'f32[3,4] f32[3,4]+', 'f32[4] i64[]=1', 'f32[4] f32[4]+')
    case('cross_entropy_loss', f'{A}cross_entropy_loss(a, b, c, {R}, 0, 0.2)', 'f32[3,4] i64[3]=0,1,3 f32[4]+')
    case('cross_entropy_loss', f'{A}cross_entropy_loss(a, b, c, {R}, -100, 0.2)', 'f32[3,4] f32[3,4]+ f32[4]+')
case('functional', 'F.cross_entropy(a, b), F.kl_div(a, c, reduction="batchmean"), F.binary_cross_entropy(torch.sigmoid(a), torch.sigmoid(c), c.abs())', 'f32[3,4] i64[3]<4 f32[3,4]+')
case('broadcast_shapes', 'torch.zeros(torch.ops.aten.broadcast_shapes(a.size(), b.size())) + a', 'f32[3,1] f32[4]')

# --- quantised layers --------------------------------------------------------------------------------------------------
case = family('packed')
Q = 'torch.ops.quantized.'
X = 'q = torch.quantize_per_tensor(a, 0.05, 60, torch.quint8)\n'
PLAIN = 'w = torch.quantize_per_tensor(self.w, 0.02, 0, torch.qint8)\n'
CHANNELS = 'w = torch.quantize_per_channel(self.w, self.s, self.z, 0, torch.qint8)\n'
for n, spec, weight in ((1, 'f32[2,3,8]', '4,3,3'), (2, 'f32[2,3,6,5]', '4,3,3,3'), (3, 'f32[1,3,4,4,4]', '4,3,2,2,2')):
    for relu in ('', '_relu'):
        for made, buffers in ((PLAIN, ''), (CHANNELS, ' s:f64[4]=0.01,0.02,0.03,0.025 z:i64[4]=0,0,0,0')):
            ones, nothing = [1] * n, [0] * n
            case(f'conv{n}d{relu}', f'{X}{made}p = {Q}conv{n}d_prepack(w, self.b, {ones}, {ones}, {ones}, 1)\nreturn {Q}conv{n}d{relu}(q, p, 0.2, 50).dequantize()', spec, buffers=f'w:f32[{weight}] b:f32[4]{buffers}')
    case(f'conv{n}d', f'{X}{PLAIN}p = {Q}conv{n}d_prepack(w, None, {[2] * n}, {[0] * n}, {[1] * n}, 3)\nreturn {Q}conv{n}d(q, p, 0.1, 50).dequantize()', spec, buffers=f'w:f32[6,1{weight[3:]}]')
    turned = '3,4' + weight[3:]
    case(f'conv_transpose{n}d', f'{X}{PLAIN}p = {Q}conv_transpose{n}d_prepack(w, self.b, {[2] * n}, {[1] * n}, {[1] * n}, {[1] * n}, 1)\nreturn {Q}conv_transpose{n}d(q, p, 0.2, 50).dequantize()', spec, buffers=f'w:f32[{turned}] b:f32[4]')
for op in ('linear', 'linear_relu'):
    for made, buffers in ((PLAIN, ''), (CHANNELS, ' s:f64[4]=0.01,0.02,0.03,0.025 z:i64[4]=0,0,0,0')):
        case(op, f'{X}{made}p = {Q}linear_prepack(w, self.b)\nreturn {Q}{op}(q, p, 0.1, 60).dequantize()', 'f32[2,3]', 'f32[2,2,3]', buffers=f'w:f32[4,3] b:f32[4]{buffers}')
        case(f'{op}_dynamic', f'{made}p = {Q}linear_prepack(w, self.b)\nreturn {Q}{op}_dynamic(a, p)', 'f32[2,3]', 'f32[2,2,3]', buffers=f'w:f32[4,3] b:f32[4]{buffers}')
    case(f'{op}_dynamic', f'{PLAIN}p = {Q}linear_prepack(w, None)\nreturn {Q}{op}_dynamic(a, p, True)', 'f32[2,3]', buffers='w:f32[4,3]')
    case(f'{op}_dynamic_fp16', f'p = {Q}linear_prepack_fp16(self.w, self.b)\nreturn {Q}{op}_dynamic_fp16(a, p)', 'f32[2,3]', buffers='w:f32[4,3] b:f32[4]')
for body in (
    'add_scalar_relu(q, 0.4)', 'mul_scalar_relu(q, -0.5)', 'mul_relu(q, q, 0.1, 3)', 'cat_relu([q, q], 1, 0.1, 60)', 'dropout(q, 0.05, 60, 0.5, False)', 'celu(q, 0.05, 60, 1.3)', 'softmax(q, 1, 0.004, 0)',
    'relu6(q)', 'matmul(q, q.permute(1, 0), 0.3, 20)', 'hardswish(q, 0.05, 60)', 'max_pool1d(q, [2], [2], [0], [1], False)', 'max_pool2d(q.reshape(1, 1, 4, 6), [2, 2], [2, 2], [0, 0], [1, 1], False)', 'threshold(q, 0.3, 1.0)',
    'instance_norm(q.reshape(1, 2, 3, 4), None, None, 1e-5, 0.05, 60)', 'group_norm(q.reshape(1, 4, 6), 2, None, None, 1e-5, 0.05, 60)', 'layer_norm(q, [6], None, None, 1e-5, 0.05, 60)', 'prelu(q, torch.quantize_per_tensor(self.k, 0.01, 3, torch.quint8), 0.05, 60)',
):
    case(body.split('(')[0], f'{X}return {Q}{body}.dequantize()', 'f32[4,6]', buffers='k:f32[1]=0.25')
S = 'm:f32[3] v:f32[3]+ w:f32[3] b:f32[3]'
for n, spec in (('', 'f32[2,3,2,2]'), ('1d', 'f32[2,3,4]'), ('2d', 'f32[2,3,2,2]'), ('3d', 'f32[1,3,2,2,2]')):
    for relu in ('', '_relu'):
        case(f'batch_norm{n}{relu}', f'{X}return {Q}batch_norm{n}{relu}(q, self.w, self.b, self.m, self.v, 1e-5, 0.1, 50).dequantize()', spec, buffers=S)
E = 'w = torch.quantize_per_channel(self.w, self.s, self.z, 0, torch.quint8)\np = torch.ops.quantized.embedding_bag_prepack(w)\n'
TABLE = 'w:f32[5,8] s:f32[5]=0.02,0.03,0.025,0.01,0.04 z:f32[5]=100,110,90,120,128'
case('embedding_byte', f'{E}return {Q}embedding_byte(p, a)', 'i64[6]<5', buffers=TABLE)
case('embedding_bag_byte', f'{E}return {Q}embedding_bag_byte(p, a, b)', 'i64[6]<5 i64[3]=0,2,2', buffers=TABLE)
case('embedding_bag_byte', f'{E}return {Q}embedding_bag_byte(p, a, b, False, 0, False, c, None, True)', 'i64[6]<5 i64[3]=0,2,6 f32[6]', buffers=TABLE)
CELL = 'w = torch.quantize_per_tensor(self.w, 0.02, 0, torch.qint8)\nu = torch.quantize_per_tensor(self.u, 0.02, 0, torch.qint8)\np = torch.ops.quantized.linear_prepack(w, self.b)\nr = torch.ops.quantized.linear_prepack(u, self.c)\n'
for op, gates in (('lstm', 4), ('gru', 3), ('rnn_tanh', 1), ('rnn_relu', 1)):
    buffers = f'w:f32[{4 * gates},3]u u:f32[{4 * gates},4]u b:f32[{4 * gates}] c:f32[{4 * gates}]'
    case(f'quantized_{op}_cell_dynamic', f'{CELL}return {Q}quantized_{op}_cell_dynamic(a, {"[b, c]" if op == "lstm" else "b"}, p, r, self.b, self.c)', 'f32[2,3] f32[2,4]' + (' f32[2,4]' if op == 'lstm' else ''), buffers=buffers)
    # The biases are those that are packed: torch.ao's modules keep others beside them.
    case(f'quantized_{op}_cell_dynamic', f'{CELL}return {Q}quantized_{op}_cell_dynamic(a, {"[b, c]" if op == "lstm" else "b"}, p, r, self.b * 9, self.c - 5)', 'f32[2,3] f32[2,4]' + (' f32[2,4]' if op == 'lstm' else ''), buffers=buffers)
    if gates > 1:
        case(f'quantized_{op}', f'{CELL}k = {Q}make_quantized_cell_params_dynamic(p, r, self.b, self.c, True)\nreturn torch.quantized_{op}(a, {"[b, c]" if op == "lstm" else "b"}, [k], True, 1, 0.0, False, False, False)', 'f32[5,2,3] f32[1,2,4]' + (' f32[1,2,4]' if op == 'lstm' else ''), buffers=buffers)
HALF = 'p = torch.ops.quantized.linear_prepack_fp16(self.w, self.b)\nr = torch.ops.quantized.linear_prepack_fp16(self.u, self.c)\n'
case('quantized_lstm-fp16', f'{HALF}k = {Q}make_quantized_cell_params_fp16(p, r)\nreturn torch.quantized_lstm(a, [b, c], [k], True, 1, 0.0, False, False, False, dtype=torch.float16)', 'f32[5,2,3] f32[1,2,4] f32[1,2,4]', buffers='w:f32[16,3]u u:f32[16,4]u b:f32[16] c:f32[16]')
case('conv_prepack', 'torch.ops.quantized.conv2d(torch.quantize_per_tensor(a, 0.1, 3, torch.quint8), torch.ops.quantized.conv2d_prepack(torch.quantize_per_tensor(b, 0.1, 0, torch.qint8), None, [1, 1], [0, 0], [1, 1], 1), 0.5, 9).dequantize()', 'f32[1,2,4,4] f32[3,2,2,2]', rename=('quantized::conv2d_prepack', 'quantized::conv_prepack'))
case('quantize_per_tensor_dynamic', 'torch.quantize_per_tensor_dynamic(a, torch.quint8, False).dequantize()', 'f32[4,5]')
case('q_per_channel', 'w = torch.quantize_per_channel(a, self.s, self.z, 0, torch.qint8)\nreturn w.q_per_channel_scales(), w.q_per_channel_zero_points()', 'f32[3,2]', buffers='s:f64[3]+ z:i64[3]')

# --- complex numbers -----------------------------------------------------------------------------------------------------
case = family('complex')
Z, Y, REAL = 'torch.view_as_complex(a)', 'torch.view_as_complex(b)', 'torch.view_as_real'
case('parts', f'{REAL}({Z}), torch.real({Z}), torch.imag({Z}), {Z}.abs(), torch.angle({Z}), {REAL}({Z}.conj().resolve_conj()), {REAL}(torch.conj_physical({Z})), {REAL}(-{Z}), {REAL}({Z}.sum(0))', 'f32[3,2]', 'f64[2,3,2]')
case('angle', f'torch.angle({Z})', 'f32[6,2]=1,0,-1,0,0,1,0,-1,0,0,-1,-1')
case('make', f'{REAL}(torch.complex(a, b)), {REAL}(torch.polar(a, b))', 'f32[3] f32[3]', 'f64[2,3] f64[2,3]')
for sign in '+-*/':
    case(f'{sign}', f'{REAL}({Z} {sign} {Y})', 'f32[4,3,2] f32[3,2]', 'f64[3,2] f32[3,2]')
    case(f'{sign}', f'{REAL}({Z} {sign} b), {REAL}({Z} {sign} 2.5)', 'f32[4,3,2] f32[3]+')
    if sign != '/':
        case(f'{sign}', f'{REAL}(b {sign} {Z})', 'f32[4,3,2] f32[3]')
for body in ('reshape(-1)', 'view(1, 3, -1)', 'flatten(0, 1)', 'unsqueeze(-1)', 'unsqueeze(0)', 'permute(1, 0)', 'transpose(-1, -2)', 'expand(2, -1, -1)', 'contiguous()', 'clone()', 'unsqueeze(1).squeeze(1)', 'index_select(1, self.i)', 'to(torch.complex128)'):
    case('views', f'{REAL}({Z}.{body})', 'f32[3,4,2]', buffers='i:i64[2]=3,0')
case('views', f'z = {Z}\nreturn {REAL}(z[1:, :2]), {REAL}(z[0]), {REAL}(z[..., -1]), {REAL}(torch.cat([z, z], -1)), {REAL}(torch.stack([z, z], -1)), z.to(torch.float32)', 'f32[3,4,2]')
case('rotary', f'z = torch.view_as_complex(a.reshape(a.size(0), a.size(1), -1, 2))\nf = torch.polar(torch.ones_like(self.f), self.f)[:a.size(1)]\nreturn {REAL}(z * f).flatten(2)', 'f32[2,3,8]', buffers='f:f32[5,4]')
for norm in ('', ', norm="ortho"', ', norm="forward"'):
    case('rfft', f'{REAL}(torch.fft.rfft(a{norm})), torch.fft.irfft(torch.fft.rfft(a{norm}){norm})', 'f32[2,8]')
    case('fft', f'{REAL}(torch.fft.fft({Z}, dim=0{norm})), {REAL}(torch.fft.ifft({Z}, dim=1{norm}))', 'f32[5,4,2]')
case('rfft', f'{REAL}(torch.fft.rfft(a, 5, 0)), {REAL}(torch.fft.rfft(a, 12)), {REAL}(torch.fft.fft(a)), {REAL}(torch.fft.ifft(a).resolve_conj())', 'f32[7,9]', 'f64[6,5]')
case('irfft', f'torch.fft.irfft({Z}), torch.fft.irfft({Z}, 7), torch.fft.irfft({Z}, 4, 0)', 'f32[5,4,2]')
case('fft2', f'{REAL}(torch.fft.rfft2(a)), {REAL}(torch.fft.fft2(a)), {REAL}(torch.fft.ifft2(torch.fft.fft2(a))), torch.fft.irfft2(torch.fft.rfft2(a))', 'f32[2,4,6]', 'f32[3,4]')
case('fftn', f'{REAL}(torch.fft.rfftn(a)), {REAL}(torch.fft.fftn(a, dim=[0, 2])), {REAL}(torch.fft.ifftn(a, [4], [1])), torch.fft.irfftn(torch.fft.rfftn(a), [2, 3, 4])', 'f32[2,3,4]')
case('fftshift', f'torch.fft.fftshift(a), torch.fft.ifftshift(a), torch.fft.fftshift(a, [1]), {REAL}(torch.fft.fftshift(torch.fft.fft(a)))', 'f32[4,5]')
case('fftfreq', 'torch.fft.fftfreq(5), torch.fft.fftfreq(6, 0.5), torch.fft.rfftfreq(5), torch.fft.rfftfreq(6, 0.5)', 'f32[1]')
case('stft', f'{REAL}(torch.stft(a, 8, 4, 8, self.w, return_complex=True))', 'f32[2,32]', 'f32[30]', buffers='w:f32[8]+')
case('stft', f'torch.stft(a, 8, 3, 6, self.w, center=False, normalized=True, return_complex=True).abs()', 'f32[2,32]', buffers='w:f32[6]+')
case('stft', f'{REAL}(torch.stft(a, 7, onesided=False, return_complex=True, pad_mode="constant"))', 'f32[2,21]')
case('stft', 'torch.stft(a, 8, 2, window=self.w, return_complex=True).abs().pow(2).log1p()', 'f32[1,40]', buffers='w:f32[8]+')
case('istft', 'torch.istft(torch.stft(a, 8, 2, window=self.w, return_complex=True), 8, 2, window=self.w)', 'f32[2,32]', buffers='w:f32[8]+')
case('istft', 'torch.istft(torch.stft(a, 8, 4, 6, self.w, return_complex=True), 8, 4, 6, self.w, length=30)', 'f32[32]', buffers='w:f32[6]+')
case('istft', 'torch.istft(torch.stft(a, 8, 2, normalized=True, return_complex=True), 8, 2, normalized=True)', 'f32[1,32]')

# --- integers of 64 bits: hashes, which doubles round --------------------------------------------------------------------
case = family('wide')
A, B = '(a * 4611686018427387905 + 1234567890123456789)', '(b * 2305843009213693951 - 987654321098765432)'
PAIR = 'i64[3,4]~9 i64[3,4]~9'
for body in (
    'x.fmod(y)', 'x.fmod(97)', 'x.fmod(-97)', 'x % 97', 'x // -97', 'torch.div(x, 97, rounding_mode="trunc")', 'torch.gcd(x, y)', 'torch.lcm(x % 1000, y % 1000)',
    'x >> 3, x >> 62, x >> 63, x << 3, x << 62, x << 63', 'x >> (b.abs() * 8), x << (b.abs() * 8)', 'x.pow(3), x ** 5, x ** 2',
    'x.sum(), x.sum(1), x.sum(0, keepdim=True), x.nansum(), x.sum([0, 1])', 'x.prod(1), x.prod(0, keepdim=True), x.prod()', 'x.trace()', 'x.cumsum(1)',
    'x.clamp(-4611686018427387903, 4611686018427387901)', 'x.masked_fill(a > 0, 4611686018427387905)', 'x > 1234567890123456788, x == 1234567890123456789',
    'torch.full_like(x, 4611686018427387905) + x', 'x.index_put([a > 0], torch.tensor(4611686018427387905))', 'torch.where(x > y, x, y), torch.maximum(x, y)',
    '((x ^ (x >> 16)) * 73244475) & 0xFFFFFFFF', 'torch.bucketize(x, torch.tensor([-4611686018427387904, 0, 4611686018427387900]))',
):
    case(re.match(r'\W*(?:x|torch)?\W*(\w*)', body).group(1), f'x = {A}\ny = {B}\nreturn {body}', PAIR)
case('folded', 'a + (torch.tensor(1099511627777) * 1048577), a + torch.tensor(4611686018427387905) * 3', 'i64[2]')
case('prod', 'a.prod(1), a.prod(0, keepdim=True), a.prod()', 'f64[3,5]+', 'f64[1,2]')

# --- searching in what is sorted and long ---------------------------------------------------------------------------------
case = family('searching')
LONG = 'v = torch.arange(200) * 3 - 300\nf = v.float() * 0.37\n'
case('searchsorted', f'{LONG}return torch.searchsorted(v, a), torch.searchsorted(v, a, right=True), torch.bucketize(a, v, out_int32=True)', 'i64[3,4]~400', 'i64[2]=-300,297', 'i64[0]')
case('searchsorted', f'{LONG}return torch.searchsorted(f, a), torch.bucketize(a, f, right=True), torch.searchsorted(f.double(), a)', 'f32[6]', 'f32[4]=nan,inf,-inf,0')
case('bucketize', 'torch.bucketize(a, torch.tensor([-1.0, 0.0, 1.0])), torch.bucketize(a, torch.tensor([-1.0, 0.0, 1.0]), right=True)', 'f32[4]=nan,inf,-inf,0')
case('isin', f'{LONG}return torch.isin(a, v), torch.isin(a, v, invert=True), torch.isin(a, f), torch.isin(a.float() * 0.37, f)', 'i64[3,5]~400')
case('isin', 'torch.isin(a, torch.tensor([2.5, 3.0])), torch.isin(a.float() + 0.5, a)', 'i64[9]~5')
case('bincount', 'torch.bincount(a, minlength=int(b[0])), torch.bincount(a, minlength=a.size(0))', 'i64[4]<5 i64[1]=7', 'i64[4]<5 i64[1]=2', 'i64[0] i64[1]=3')
case('unique_consecutive', 'a.unique_consecutive(), a.unique_consecutive(return_counts=True), torch._unique2(a)', 'i64[7]<3')
case('repeat_interleave', 'a.repeat_interleave(b, 0), torch.repeat_interleave(b)', 'f32[3,2] i64[3]=2,0,3', 'f32[1,2] i64[1]=4', 'f32[2,2] i64[2]=0,0')

# --- results put into a tensor, and numbers in between that sizes decide ---------------------------------------------------
case = family('out')
case('out', 'o = torch.empty(0)\ntorch.matmul(a, a.t(), out=o)\np = torch.zeros(a.size(0))\ntorch.sum(a, 1, out=p)\ntorch.mul(p, 2, out=p)\nreturn o, p', 'f32[2,3]', 'f32[1,4]')
case('out', 'o = torch.zeros(2, 4)\ntorch.add(a, 1, out=o[:, 1:3])\nl = [o]\ntorch.exp(o, out=o)\nreturn l[0], torch.cat([a, a], 1, out=o)', 'f32[2,2]')
case('out', 'o = torch.zeros(2, dtype=torch.float64)\ntorch.mean(a, [1], out=o)\nif bool(a.sum() > 0):\n    torch.mul(o, 2, out=o)\nelse:\n    torch.sub(o, 2, out=o)\nfor i in range(int(b[0])):\n    torch.add(o, 1, out=o)\nreturn o', 'f32[2,3]+ i64[1]=2', 'f32[2,3]=-1,-2,-3,1,2,3 i64[1]=3')
case('linspace', 'torch.linspace(-1, 1, a.size(1)), torch.linspace(0, a.size(1) - 1, a.size(1)), torch.linspace(-a.size(0) * 0.5 + 0.5, a.size(0) * 0.5 - 0.5, a.size(0)), torch.linspace(0, 9, a.size(1), dtype=torch.int64), torch.logspace(0, 2, a.size(0))', 'f32[3,5]', 'f32[2,4]', 'f32[1,1]')
case('linspace', 'torch.linspace(0, 1, int(b[0])), torch.linspace(float(a[0]), 3.0, int(b[0]), dtype=torch.float64)', 'f32[1] i64[1]=5', 'f32[1] i64[1]=1')
case('out', 'v = torch.empty(0)\ni = torch.empty(0, dtype=torch.int64)\ntorch.max(a, 1, max=v, max_values=i)\no = torch.zeros(a.size(0), 3)\np = torch.zeros(a.size(0), dtype=torch.int64)\ntorch.min(a, 1, min=o[:, 1], min_indices=p)\nreturn v + 1, i, o, p', 'f32[2,3]!', 'f32[1,4]!')
case('out', 'v = torch.empty(0)\ni = torch.empty(0, dtype=torch.int64)\ntorch.sort(a, 1, values=v, indices=i)\nw = torch.zeros(a.size(0), 2)\nj = torch.zeros(a.size(0), 2, dtype=torch.int64)\nr = torch.topk(a, 2, values=w, indices=j)\nw.mul_(2)\nreturn v, i, r[0], j', 'f32[2,3]!', 'f32[3,5]!')
case('gcd', 'torch.ones(math.gcd(a.size(0), 6)), a + math.gcd(a.size(1), a.size(0))', 'f32[4,6]', 'f32[3,5]', 'f32[9,3]')

# --- numbers chosen and rounded -------------------------------------------------------------------------------------------
case = family('rounded')
for op in 'fmax fmin'.split():
    case(op, f'torch.{op}(a, b), torch.{op}(b, a), torch.{op}(a, torch.tensor(float("nan")))', 'f32[9]=nan,1,nan,2,-inf,0,3,inf,-1 f32[9]=nan,nan,1,3,0,-inf,2,1,-2', 'f64[2] f64[2]=nan,1', 'i64[3] i64[3]')
for options in ('mode="bilinear"', 'mode="bilinear", antialias=True', 'mode="bicubic"'):
    case('interpolate', f'F.interpolate(a, size=[12, 16], {options}), F.interpolate(a, size=[3, 4], {options}), F.interpolate(a, scale_factor=2.0, {options})', 'u8[1,2,6,8]<256')
