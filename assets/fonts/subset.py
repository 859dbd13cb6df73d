# /// script
# requires-python = ">=3.10"
# dependencies = ["fonttools==4.68.0"]
# ///
"""Makes the fonts of the desktop program from Inter's own files: Latin, Greek and Cyrillic letters, the symbols that the
program draws, and tabular figures as the only figures, so that columns of numbers line up without a monospaced font.

    python subset.py Inter-Regular.otf Inter-SemiBold.otf
"""

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

RANGES = [(0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x400, 0x45F), (0x2000, 0x206F), (0x2070, 0x209F), (0x20A0, 0x20BF), (0x2100, 0x214F),
          (0x2190, 0x21FF), (0x2200, 0x22FF), (0x2318, 0x2318), (0x2325, 0x2325), (0x21E7, 0x21E7), (0x2500, 0x25FF), (0x2605, 0x2605), (0x2713, 0x2717)]


def tabular(font: TTFont) -> None:
    """Points the figures of the character map at their tabular forms."""
    gsub = font["GSUB"].table
    lookups = {index for record in gsub.FeatureList.FeatureRecord if record.FeatureTag == "tnum" for index in record.Feature.LookupListIndex}
    mapping = {}
    for index in lookups:
        for table in gsub.LookupList.Lookup[index].SubTable:
            mapping.update(getattr(getattr(table, "ExtSubTable", table), "mapping", {}))
    figures = set(range(0x30, 0x3A)) | {ord(character) for character in ".,+-−%:"}
    for table in font["cmap"].tables:
        for code in figures & set(table.cmap):
            table.cmap[code] = mapping.get(table.cmap[code], table.cmap[code])


def main() -> None:
    for source in map(Path, sys.argv[1:]):
        font = TTFont(source)
        tabular(font)
        options = Options()
        options.layout_features = ["kern", "ccmp", "locl", "mark"]
        options.hinting = True
        options.desubroutinize = False
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=[code for first, last in RANGES for code in range(first, last + 1)])
        subsetter.subset(font)
        target = Path(__file__).with_name(source.name)
        font.save(target)
        print(target.name, target.stat().st_size, "bytes")


main()
