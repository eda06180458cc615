"""Characters that are not what they seem: a quick look at a text that has none of them is enough to leave it out."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_RANGES: Final = (
    "aa ad b2-b3 b9-ba bc-be df 130 132-133 13f-140 149 17f 1c4-1cc 1f1-1f3 2b0 2b2-2b3 2b7-2b8 2e1-2e3 34f 600-605 61c 6dd 70f "
    "8e2 e33 eb3 edc-edd 1100-11ff 17b4-17b5 180b-180e 1d2c 1d2e 1d30-1d31 1d33-1d3a 1d3c 1d3e-1d43 1d47-1d49 1d4d 1d4f-1d50 1d52 "
    "1d56-1d58 1d5b 1d62-1d65 1d9c 1da0 1dbb 1e9a 1e9e 200c-200f 202a-202e 2060-2079 207f-2089 2090-2093 2095-209c 20a8 2100-2103 "
    "2105-2106 2109-210e 2110-2113 2115-2116 2119-211d 2120-2122 2124 2128 212a 212c-212d 212f-2131 2133-2134 2139 213b 2145-2149 "
    "2150-217f 2189 2460-24ea 2c7c-2c7d 2e9f 2ef3-2fd5 302a-302f 3038-303a 3099-309a 309f 30ff 3131-318e 3192-319f 3200-3247 "
    "3250-327e 3280-33ff f900-fb06 fe00-fe0d feff ff10-ff19 ff21-ff3a ff41-ff5a ff66-ffdc fff9-fffb 110bd 110cd 13430-13438 "
    "1bca0-1bca3 1d173-1d17a 1d400-1d6a3 1d7ce-1d7ff 1f100-1f10a 1f110-1f12e 1f130-1f14f 1f16a-1f16c 1f190 1f200-1f251 1fbf0-1fbf9 "
    "2f800-2fa1d e0001-e01ef"
)


@lru_cache(maxsize=1)
def odd() -> frozenset[str]:
    """The characters that become ASCII letters or digits in the words of a text, others that are words by themselves, or nothing:
    the Kelvin sign, the long s, sharp s, ligatures, halves of syllables, letters of full width, what is invisible.
    """
    found: set[str] = set()
    for each in _RANGES.split():
        first, _, last = each.partition("-")
        found.update(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return frozenset(found)
