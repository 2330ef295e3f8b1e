"""The units of a text, compiled: characters, or words as sacreBLEU's "none" and "13a" split them. Imports numba.

A unit is a 64-bit code: a character itself, or the hash of a word. Different words, or n-grams, with the same hash
would be taken for one: among 10^6 of them the chance that any two are is 3 in 10^8.
"""

import numpy as np
from numba import njit

CHARACTERS, SPACES, THIRTEEN_A = range(3)  # what units are: characters, words between spaces, words of mteval-13a
ODD = np.uint64(0x9E3779B97F4A7C15)
START = np.uint64(0xCBF29CE484222325)
HALF = np.uint64(32)
NEWLINE, DASH, LESS, GREATER, AMPERSAND = 10, 45, 60, 62, 38
REPLACED = ("<skipped>", "-\n", "\n", "&quot;", "&amp;", "&lt;", "&gt;")  # by 13a, in this order ...
BY = np.array([0, 0, 32, 34, 38, 60, 62], np.int32)  # ... by nothing or by this character
PATTERNS = np.array([ord(c) for c in "".join(REPLACED)], np.int32)
SYMBOL = np.array([chr(c) in '!"#$%&()*+/:;<=>?@[\\]^_`{|}~' for c in range(128)])
LETTER = np.array([not (SYMBOL[c] or chr(c) in "-.," or chr(c).isspace()) for c in range(128)])
ENDS = np.cumsum([0] + [len(pattern) for pattern in REPLACED])

# nothing is allocated in the loops, and not counting references to arrays halves their time
loop = njit(error_model="numpy", _nrt=False)  # type: ignore[call-overload]


@loop
def is_space(c):
    """What `str.split` splits at."""
    if c < 128:
        return c == 32 or 9 <= c <= 13 or 28 <= c <= 31
    return (
        c == 0x85 or c == 0xA0 or c == 0x1680 or 0x2000 <= c <= 0x200A
        or c == 0x2028 or c == 0x2029 or c == 0x202F or c == 0x205F or c == 0x3000
    )  # fmt: skip


@loop
def is_digit(c):
    return 48 <= c <= 57


@loop
def is_symbol(c):
    """What is a word of its own in 13a, wherever it stands."""
    return c < 128 and SYMBOL[c]


@loop
def is_letter(c, kind):
    """What goes on with a word, whatever the characters around it."""
    if c < 128 and kind != SPACES:
        return LETTER[c]
    return not is_space(c)


@loop
def mixed(code, unit):
    """The hash of a sequence with one unit more; never 0, which marks a free slot."""
    code = (code ^ unit) * ODD
    code ^= code >> HALF
    return code if code != 0 else ODD


@loop
def replaced(given, count, chars):
    """What 13a takes out of a text and puts in for it before it splits, into `chars`; how many characters."""
    for at in range(count):
        chars[at] = given[at]
    for number in range(len(BY)):
        start, size, to = ENDS[number], ENDS[number + 1] - ENDS[number], 0
        at = 0
        while at < count:
            same = at + size <= count
            for place in range(size):
                same = same and chars[at + place] == PATTERNS[start + place]
            if not same or BY[number] != 0:
                chars[to] = BY[number] if same else chars[at]
                to += 1
            at += size if same else 1
        count = to
    return count


@loop
def split(chars, count, kind, out, room):
    """Write the codes of the words of a text to `out`; how many. Spaces at the end must be cut off.

    `room` is for as many characters as the text has.
    """
    if kind == SPACES:
        return split_at_spaces(chars, count, out)
    for at in range(count):
        if chars[at] == AMPERSAND or chars[at] == LESS or chars[at] == NEWLINE:
            return split_13a(room, replaced(chars, count, room), out)
    return split_13a(chars, count, out)


@loop
def split_at_spaces(chars, count, out):
    found, code = 0, START
    for at in range(count + 1):
        if at == count or is_space(chars[at]):
            if code != START:
                out[found] = code
                found += 1
            code = START
        else:
            code = mixed(code, np.uint64(chars[at]))
    return found


@loop
def split_13a(chars, count, out):
    """mteval-13a's four substitutions in one pass.

    A run of full stops and commas falls apart into words, but: one alone between digits joins them, and the last stays
    with a digit that follows where the substitutions, which take two characters at a time, pass it over. A dash after a
    digit is a word.
    """
    found, code, at, before = 0, START, 0, 32
    while at < count:
        c = chars[at]
        size, alone, joins_next = 1, is_symbol(c) or (c == DASH and is_digit(before)), False
        if c == 46 or c == 44:
            while at + size < count and (chars[at + size] == 46 or chars[at + size] == 44):
                size += 1
            digit_next = at + size < count and is_digit(chars[at + size])
            joins_next = digit_next and size % 2 == is_digit(before)
            alone = not (joins_next and size == 1)
        if (alone or is_space(c)) and code != START:
            out[found] = code
            found, code = found + 1, START
        for place in range(size):
            if not alone:
                if not is_space(c):
                    code = mixed(code, np.uint64(chars[at + place]))
            elif joins_next and place == size - 1:
                code = mixed(START, np.uint64(chars[at + place]))
            else:
                out[found] = mixed(START, np.uint64(chars[at + place]))
                found += 1
        before = chars[at + size - 1]
        at += size
    if code != START:
        out[found] = code
        found += 1
    return found


@loop
def units_of(chars, kind, out, room):
    """Write the units of a whole text to `out`; how many."""
    count = len(chars)
    while count > 0 and is_space(chars[count - 1]):
        count -= 1
    if kind != CHARACTERS:
        return split(chars, count, kind, out, room)
    found = 0
    for at in range(count):
        if not is_space(chars[at]):
            out[found] = np.uint64(chars[at])
            found += 1
    return found
