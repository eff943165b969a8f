"""
Writes the archives of this folder: good.* hold one small tree in every format, and each of hostile/ one trick.
Python 3.11.7 and its standard library; run as `python3 make.py` in this folder. `expected.json` says what each must be answered.
"""
import bz2, gzip, io, json, os, shutil, stat, struct, tarfile, zipfile, zlib

here = os.path.dirname(os.path.abspath(__file__))
hostile = os.path.join(here, 'hostile')
shutil.rmtree(hostile, ignore_errors=True)
os.makedirs(hostile)
expected = {}
WHEN = (2026, 1, 1, 0, 0, 0)


def tar(name, members, mode='w', format=tarfile.PAX_FORMAT, code='invalid', raw=b''):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=format) as archive:
        for member in members:
            info = tarfile.TarInfo(member[0])
            content = b'x'
            for key, value in (member[1] if len(member) > 1 else {}).items():
                if key == 'content':
                    content = value
                else:
                    setattr(info, key, value)
            info.mtime = 1767225600
            if info.isreg():
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content) if info.isreg() else None)
    write(name, buffer.getvalue() + raw, code)


def write(name, data, code):
    with open(os.path.join(hostile, name), 'wb') as f:
        f.write(data)
    expected[name] = code


def zip_bytes(entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            name, content, mode = (entry + (b'x', None))[:3] if len(entry) == 1 else (entry + (None,))[:3]
            info = zipfile.ZipInfo(name, WHEN)
            info.filename = name  # ZipInfo cleans some names, which is not what is wanted here
            info.compress_type = zipfile.ZIP_DEFLATED
            if mode is not None:
                info.create_system = 3
                info.external_attr = mode << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def zip_(name, entries, code='invalid'):
    write(name, zip_bytes(entries), code)


good = [('saved_model.pb', b'graph'), ('variables/variables.data-00000-of-00001', bytes(range(256)) * 40),
        ('variables/variables.index', b'index'), ('assets/' + 'long' * 40 + '/vocabulary.txt', 'wörter\n'.encode()), ('empty', b'')]
for ending, mode in (('tar', 'w'), ('tar.gz', 'w:gz'), ('tgz', 'w:gz'), ('tar.bz2', 'w:bz2')):
    for format_name, format in (('pax', tarfile.PAX_FORMAT), ('gnu', tarfile.GNU_FORMAT)):
        with tarfile.open(os.path.join(here, f'good-{format_name}.{ending}'), mode, format=format) as archive:
            folder = tarfile.TarInfo('./variables/')
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
            for path, content in good:
                info = tarfile.TarInfo('./' + path)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
with open(os.path.join(here, 'good.zip'), 'wb') as f:
    f.write(zip_bytes([('variables/', b'')] + good))
with zipfile.ZipFile(os.path.join(here, 'good-stored.zip'), 'w') as archive:
    for path, content in good:
        archive.writestr(zipfile.ZipInfo(path, WHEN), content)

# Paths that leave the folder, or could be taken to.
for number, path in enumerate(['../out', 'a/../../out', '/abs/out', 'a/../b', '..', './../out', 'a/..', 'C:\\out', 'C:out', 'a\\..\\..\\out',
                               '\\\\host\\share', 'a/./b', 'a//b', 'con', 'aux.txt', 'a/nul', 'dot.', 'space ', 'line\nbreak', 'a\uff0fb', '\uff0e\uff0e/out', '~/../out']):
    tar(f'path-{number:02}.tar', [('ok',), (path,)])
    if path not in ('\\\\host\\share', 'line\nbreak'):  # cp437, which zip names are in, has pictures for control characters
        zip_(f'path-{number:02}.zip', [('ok', b'x'), (path, b'x')])
tar('nul.tar', [('ok',), ('a\0b',)], format=tarfile.PAX_FORMAT)
expected.pop('nul.tar'); os.remove(os.path.join(hostile, 'nul.tar'))  # tar cannot say it in ustar; pax can:
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode='w', format=tarfile.PAX_FORMAT) as archive:
    info = tarfile.TarInfo('short')
    info.pax_headers = {'path': 'a\0b'}
    info.size = 1
    archive.addfile(info, io.BytesIO(b'x'))
write('nul-pax.tar', buffer.getvalue(), 'invalid')
zip_('long-path.zip', [('d/' * 20 + 'n' * 1000, b'x')], 'too-large')
zip_('long-name.zip', [('n' * 256, b'x')])
zip_('deep.zip', [('d/' * 40 + 'x', b'x')], 'too-large')
tar('long-path.tar', [('d/' * 600 + 'x',)], code='too-large')
tar('deep.tar', [('d/' * 40 + 'x',)], code='too-large')
tar('long-name-gnu.tar', [('n' * 300,)], format=tarfile.GNU_FORMAT)

# Two names, one file.
for kind, make in (('tar', tar), ('zip', zip_)):
    member = (lambda p: (p,)) if kind == 'tar' else (lambda p: (p, b'x'))
    make(f'twice.{kind}', [member('a'), member('a')])
    make(f'case.{kind}', [member('Model.onnx'), member('model.onnx')])
    make(f'case-folder.{kind}', [member('Dir/a'), member('dir/b')])
    make(f'unicode-form.{kind}', [member('caf\u00e9'), member('cafe\u0301')])
    make(f'unicode-width.{kind}', [member('a'), member('\uff41')])
    make(f'file-then-folder.{kind}', [member('a'), member('a/b')])
    make(f'folder-then-file.{kind}', [member('a/b'), member('a')])
    make(f'dot-slash-twice.{kind}', [member('a'), member('./a')])

# Links, devices and what else is not a file.
types = {'symlink': tarfile.SYMTYPE, 'hardlink': tarfile.LNKTYPE, 'char': tarfile.CHRTYPE, 'block': tarfile.BLKTYPE, 'fifo': tarfile.FIFOTYPE,
         'unknown': b'Z'}
for label, type_ in types.items():
    tar(f'{label}.tar', [('ok',), ('it', {'type': type_, 'linkname': '/etc/passwd'})])
tar('symlink-then-through.tar', [('d', {'type': tarfile.SYMTYPE, 'linkname': '/tmp'}), ('d/out',)])
tar('hardlink-then-write.tar', [('h', {'type': tarfile.LNKTYPE, 'linkname': '/etc/passwd'}), ('h',)])
tar('symlink-relative.tar', [('a/l', {'type': tarfile.SYMTYPE, 'linkname': '../../out'})])
for label, mode in (('symlink', stat.S_IFLNK), ('fifo', stat.S_IFIFO), ('char', stat.S_IFCHR), ('block', stat.S_IFBLK), ('socket', stat.S_IFSOCK)):
    zip_(f'{label}.zip', [('ok', b'x'), ('it', b'/etc/passwd', mode | 0o777)])

# Bombs. 100 MB of zeros in 100 kB; the same twice around; many entries; overlapping entries.
zeros = bytes(100 * 2**20)
zip_('bomb.zip', [('zeros', zeros)], 'too-large')
tar('bomb.tar.gz', [('zeros', {'content': zeros})], mode='w:gz', code='too-large')
tar('bomb.tar.bz2', [('zeros', {'content': zeros})], mode='w:bz2', code='too-large')
many = io.BytesIO()
with tarfile.open(fileobj=many, mode='w') as archive:
    for i in range(10_050):
        archive.addfile(tarfile.TarInfo(f'{i}'))
write('many.tar.gz', gzip.compress(many.getvalue(), 9, mtime=0), 'too-large')
write('many.tar.bz2', bz2.compress(many.getvalue()), 'too-large')
write('many.zip', zip_bytes([(f'{i}', b'') for i in range(4)]), 'corrupt')
data = bytearray(open(os.path.join(hostile, 'many.zip'), 'rb').read())
end = data.rindex(b'PK\5\6')
struct.pack_into('<HH', data, end + 8, 65534, 65534)  # says more entries than there are
write('many.zip', bytes(data), 'corrupt')
# A pax header of 8 GB, of which only zeros come: to be refused before it is kept.
header = bytearray(512)
header[0:1] = b'p'; header[100:108] = b'0000644\0'; header[108:124] = b'0000000\0' * 2
header[124:136] = b'77777777777\0'; header[136:148] = b'00000000000\0'; header[156:157] = b'x'; header[257:265] = b'ustar\x0000'
header[148:156] = b' ' * 8
header[148:156] = b'%06o\0 ' % sum(header)
write('pax-of-8GB.tar.gz', gzip.compress(bytes(header) + bytes(50 * 2**20), 9, mtime=0), 'corrupt')

one = zip_bytes([('a', os.urandom(0) + b'hello' * 100), ('b', b'hello' * 100)])
local_a, local_b = one.index(b'PK\3\4'), one.rindex(b'PK\3\4')
overlap = bytearray(zip_bytes([('a', b'hello' * 100), ('a', b'hello' * 100)]))
central = [i for i in range(len(overlap)) if overlap[i:i + 4] == b'PK\1\2']
struct.pack_into('<I', overlap, central[1] + 42, 0)
write('overlap-same-name.zip', bytes(overlap), 'invalid')
renamed = bytearray(zip_bytes([('a', b'hello' * 100), ('b', b'hello' * 100)]))
central = [i for i in range(len(renamed)) if renamed[i:i + 4] == b'PK\1\2']
struct.pack_into('<I', renamed, central[1] + 42, 0)
write('overlap-other-name.zip', bytes(renamed), 'invalid')  # the local header says `a`, the directory `b`

def patch(name, where, change, code):
    data = bytearray(zip_bytes([('a', b'hello' * 100)]))
    at = data.index(where)
    change(data, at)
    write(name, bytes(data), code)

patch('two-names.zip', b'PK\3\4', lambda d, at: d.__setitem__(at + 30, ord('b')), 'invalid')
patch('wrong-crc.zip', b'PK\1\2', lambda d, at: struct.pack_into('<I', d, at + 16, 1), 'corrupt')
patch('size-too-small.zip', b'PK\1\2', lambda d, at: struct.pack_into('<I', d, at + 24, 10), 'corrupt')
patch('size-too-large.zip', b'PK\1\2', lambda d, at: struct.pack_into('<I', d, at + 24, 10_000), 'corrupt')
patch('packed-size-huge.zip', b'PK\1\2', lambda d, at: struct.pack_into('<I', d, at + 20, 0x7fffffff), 'corrupt')
patch('offset-outside.zip', b'PK\1\2', lambda d, at: struct.pack_into('<I', d, at + 42, 0x7fffffff), 'corrupt')
patch('encrypted.zip', b'PK\1\2', lambda d, at: struct.pack_into('<H', d, at + 8, 1), 'invalid')
patch('method-99.zip', b'PK\1\2', lambda d, at: struct.pack_into('<H', d, at + 10, 99), 'invalid')
folder = zip_bytes([('a/', b'content')])
write('folder-with-content.zip', folder, 'invalid')

# Damage.
whole = open(os.path.join(here, 'good.zip'), 'rb').read()
write('cut.zip', whole[:len(whole) // 2], 'corrupt')
write('empty.zip', b'PK\5\6' + bytes(18), 'corrupt')
write('nothing.zip', b'', 'corrupt')
write('text.zip', b'this is not a zip file ' * 10, 'corrupt')
for ending in ('tar', 'tar.gz', 'tar.bz2'):
    whole = open(os.path.join(here, f'good-pax.{ending}'), 'rb').read()
    write(f'cut.{ending}', whole[:len(whole) * 6 // 10 if ending != 'tar' else 9000], 'corrupt')
    write(f'nothing.{ending}', b'', 'corrupt')
    write(f'text.{ending}', b'this is not an archive at all, but some text. ' * 40, 'corrupt')
    flipped = bytearray(whole)
    flipped[len(whole) // 2 if ending != 'tar' else 600] ^= 0x10
    if ending != 'tar':
        write(f'flipped.{ending}', bytes(flipped), 'corrupt')
header = bytearray(open(os.path.join(here, 'good-gnu.tar'), 'rb').read())
header[512 + 148] ^= 1
write('header-checksum.tar', bytes(header), 'corrupt')
negative = bytearray(open(os.path.join(here, 'good-gnu.tar'), 'rb').read())
negative[512 + 124:512 + 136] = b'\xff' * 12
negative[512 + 148:512 + 156] = b' ' * 8
negative[512 + 148:512 + 156] = b'%06o\0 ' % sum(negative[512:1024])
write('negative-size.tar', bytes(negative), 'corrupt')

files = {path: zlib.crc32(content) for path, content in good}
json.dump({'origin': 'make.py', 'good': {k: '%08x' % v for k, v in files.items()}, 'hostile': dict(sorted(expected.items()))},
          open(os.path.join(here, 'expected.json'), 'w'), indent=1, ensure_ascii=True)
print(len(expected), 'hostile')
