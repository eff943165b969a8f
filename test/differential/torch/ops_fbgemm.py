"""Writes golden/ops-fbgemm.{json,bin}.gz: operators of FBGEMM, which torch does not have by itself.

    pip install fbgemm-gpu-cpu==1.8.0
    python test/differential/torch/ops_fbgemm.py [folder]
"""
import sys
from pathlib import Path

import torch
import fbgemm_gpu  # noqa: F401  registers its operators

import ops

CALL = 'torch.ops.fbgemm.'
# Two tables of int8 rows, 4 and 8 wide, of 6 and 10 rows of 16 bytes; two of int4 and int2 rows, 8 wide, likewise.
TABLES = {
    'int8': ['w:u8[256]<58', 'at:i64[2]=0,96', 'ty:u8[2]=2,2', 'd:i32[3]=0,4,12'],
    'int4, int2': ['w:u8[256]<58', 'at:i64[2]=0,96', 'ty:u8[2]=3,4', 'd:i32[3]=0,8,16'],
    'int8, int4': ['w:u8[256]<58', 'at:i64[2]=0,96', 'ty:u8[2]=2,3', 'd:i32[3]=0,4,12'],
    'one': ['w:u8[160]<58', 'at:i64[1]=0', 'ty:u8[1]=2', 'd:i32[2]=0,8'],
}
HALVES = ['w:u8[256]<60', 'at:i64[2]=0,96', 'ty:u8[2]=1,1', 'd:i32[3]=0,4,12']
SINGLES = ['w:u8[416]<66', 'at:i64[2]=0,96', 'ty:u8[2]=0,0', 'd:i32[3]=0,3,11']
OTHERS = ['none:u8[0]', 'places:i32[2]=3,3']


def lookup(total, pooling, weights='None'):
    most = f'{total}, 8, 8, 8, 8, 8'
    return (f'{CALL}int_nbit_split_embedding_codegen_lookup_function(self.w, self.none, self.places, self.at, self.ty, '
            f'self.d, {most}, a, b, {pooling}, {weights}, 0, None, None, 16)')


BAGS = 'i32[7]=0,2,2,3,5,5,6'  # three bags of each of two tables, two of them empty
CHECK = f'x = a.clone()\n{CALL}bounds_check_indices(self.rows, x, b, 1, self.warning, None)\nreturn x'
# Lengths of two keys, as many times as the data say, of which TorchRec asks whether there are any.
TILED = """n = int(b)
lengths = a.tile(n)
if {}:
    of_keys = torch.unbind(lengths{})
else:
    of_keys = torch.unbind(lengths{})
return torch.ops.fbgemm.asynchronous_complete_cumsum(of_keys[1])"""
BY_KEY = '.view(2, n)'
lookup_name = 'fbgemm::int_nbit_split_embedding_codegen_lookup_function'
cases = [
    *((f'fbgemm::asynchronous_{how}_cumsum', f'{CALL}asynchronous_{how}_cumsum(a)', ['i64[5]<4', 'i32[3]<9', 'i64[1]'], [], None)
      for how in ('complete', 'inclusive', 'exclusive')),
    *(('fbgemm::asynchronous_complete_cumsum', TILED.format(*parts), ['i64[2]=3,4 i64[1]=3', 'i64[2]=3,4 i64[1]=1'], [], None)
      for parts in (('lengths.numel() > 0', BY_KEY, ''), ('len(lengths) == 0', '', BY_KEY), ('lengths.size(0) != 0', BY_KEY, ''))),
    ('fbgemm::jagged_to_padded_dense', f'{CALL}jagged_to_padded_dense(a, [b], [5], -1.5)',
     ['f32[6,2] i64[4]=0,2,2,6', 'f32[6,3] i64[3]=0,6,6', 'f32[6] i64[4]=0,1,6,6', 'f32[6,2] i32[4]=0,2,2,6'], [], None),
    ('fbgemm::jagged_to_padded_dense', f'{CALL}jagged_to_padded_dense(a, [b], [int(torch.max(c))], 0.0)',
     ['f32[6,2] i64[4]=0,2,2,6 i64[3]=2,0,4', 'f32[6,2] i64[4]=0,2,2,6 i64[3]=1,0,3'], [], None),
    ('fbgemm::segment_sum_csr', f'{CALL}segment_sum_csr(2, a, b)', ['i64[4]=0,1,1,3 i64[6]<9', 'i32[3]=0,2,3 f32[6]'], [], None),
    ('fbgemm::segment_sum_csr', f'{CALL}segment_sum_csr(1, a, b)', ['i64[3]=0,4,7 i64[7]<9'], [], None),
    ('fbgemm::permute_1D_sparse_data', f'x, y, z = {CALL}permute_1D_sparse_data(a, b, c, None, None)\nreturn x, y',
     ['i32[3]=2,0,1 i64[3]=1,3,2 f32[6]', 'i32[4]=2,0,2,1 i64[3]=1,0,2 i64[3]'], [], None),
    ('fbgemm::permute_2D_sparse_data', f'x, y, z = {CALL}permute_2D_sparse_data(a, b, c, None, None)\nreturn x, y',
     ['i32[3]=2,0,1 i64[3,2]=1,0,3,1,0,2 i64[7]', 'i32[2]=1,0 i64[2,3]=0,0,0,1,1,2 f32[4]'], [], None),
    ('fbgemm::permute_2D_sparse_data', f'return {CALL}permute_2D_sparse_data(a, b, c, d, 7)',
     ['i32[3]=2,0,1 i64[3,2]=1,0,3,1,0,2 i64[7] f32[7]'], [], None),
    ('fbgemm::group_index_select_dim0', f'{CALL}group_index_select_dim0([a, b], [c, d])',
     ['f32[4,3] f32[5,2] i64[3]=2,0,2 i64[2]=4,1'], [], None),
    ('fbgemm::bounds_check_indices', CHECK,
     ['i64[6]=5,6,-1,9,10,-7 i64[7]=0,2,2,3,5,5,6', 'i32[6]=5,6,0,9,10,2 i32[7]=0,2,2,3,5,5,6'],
     ['rows:i64[2]=6,10', 'warning:i64[1]=0'], None),
    *((f'{lookup_name}', lookup(total, pooling), [f'i32[6]=5,0,3,9,9,1 {BAGS}'], [*TABLES[name], *OTHERS], None)
      for name, total in (('int8', 12), ('int4, int2', 16), ('int8, int4', 12)) for pooling in (0, 1)),
    (lookup_name, lookup(12, 0, 'c'), [f'i32[6]=5,0,3,9,9,1 {BAGS} f32[6]'], [*TABLES['int8'], *OTHERS], None),
    (lookup_name, lookup(12, 0), [f'i32[6]=5,0,3,9,9,1 {BAGS}'], [*HALVES, *OTHERS], None),
    (lookup_name, lookup(11, 0), [f'i32[6]=5,0,3,9,9,1 {BAGS}'], [*SINGLES, *OTHERS], None),
    (lookup_name, lookup(11, 1), [f'i32[6]=5,-1,3,9,-1,1 {BAGS}'], [*SINGLES, *OTHERS], None),
    (lookup_name, lookup(8, 2), ['i32[6]=5,0,3,9,9,1 i32[4]=0,2,2,6'], [*TABLES['one'], *OTHERS], None),
]

if __name__ == '__main__':
    torch.set_num_threads(1)
    ops.FAMILIES.clear()
    ops.FAMILIES['fbgemm'] = cases
    ops.main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / 'golden', ['fbgemm'])
