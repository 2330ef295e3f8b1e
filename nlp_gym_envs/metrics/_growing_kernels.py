"""Growing answers, compiled: the loops over rows, bytes and n-grams. Imports numba; load it lazily.

An n-gram is the hash of its units, made from the last one leftwards: a longer n-gram continues the hash of a shorter
one, and the first that no reference has ends the search. A row holds the n-grams of its references in a hash table
(open addressing), with how often each may match and how often it did, so that a unit is taken back as it was added.

Arrays, of B rows and at most R references: `facts` (B, ...) int64 has the columns named below, then the R lengths of
the references, then the matches (1 or R x orders); `units` (B, U) uint64; `tail` (B, T) int32, the characters from the
last place on where words can be split whatever follows; `keys` (B, S) uint64 and `tally` (B, S, 1 + 1 or R) int32: how
often an n-gram was used, then how often each reference has it (BLEU: the one that has it most often).
"""

import numpy as np

from . import _growing_formulas as formulas
from ._growing_units import CHARACTERS, DASH, GREATER, NEWLINE, START, is_letter, is_space, loop, mixed, split, units_of

LENGTH, KEPT, TAIL, MASK, REFERENCES, NEED, LOW, HIGH, PART, FIRST = range(10)

bleu, chrf = loop(formulas.bleu), loop(formulas.chrf)


@loop
def fed(row, byte, facts):
    """The character that a byte of UTF-8 completes, or -1. Wrong bytes are passed over as Python's "ignore" does."""
    if facts[row, NEED] > 0:
        if facts[row, LOW] <= byte <= facts[row, HIGH]:
            facts[row, PART] = facts[row, PART] << 6 | byte & 63
            facts[row, NEED] -= 1
            facts[row, LOW], facts[row, HIGH] = 0x80, 0xBF
            return facts[row, PART] if facts[row, NEED] == 0 else -1
        facts[row, NEED] = 0  # the character stays unfinished; the byte may start another
    if byte < 0x80:
        return byte
    if 0xC2 <= byte <= 0xF4:
        facts[row, NEED] = 1 + (byte >= 0xE0) + (byte >= 0xF0)
        facts[row, PART] = byte & (0x3F >> facts[row, NEED])
        facts[row, LOW] = 0xA0 if byte == 0xE0 else 0x90 if byte == 0xF0 else 0x80
        facts[row, HIGH] = 0x9F if byte == 0xED else 0x8F if byte == 0xF4 else 0xBF
    return -1


@loop
def slot_of(row, code, mask, keys):
    """Where an n-gram is in the row's table, or would be put."""
    slot = np.int64(code) & mask
    while keys[row, slot] != code and keys[row, slot] != 0:
        slot = (slot + 1) & mask
    return slot


@loop
def add(row, unit, orders, facts, units, keys, tally):
    """Append a unit to the row's answer and count the n-grams that end with it."""
    length, columns = facts[row, LENGTH], tally.shape[2] - 1
    matches = facts.shape[1] - columns * orders
    units[row, length] = unit
    facts[row, LENGTH] = length + 1
    code = START
    for order in range(min(orders, length + 1)):
        code = mixed(code, units[row, length - order])
        slot = slot_of(row, code, facts[row, MASK], keys)
        if keys[row, slot] == 0:
            break
        tally[row, slot, 0] += 1
        for column in range(columns):
            facts[row, matches + column * orders + order] += tally[row, slot, 0] <= tally[row, slot, 1 + column]


@loop
def take_back(row, orders, facts, units, keys, tally):
    """Undo the last `add`."""
    columns = tally.shape[2] - 1
    matches = facts.shape[1] - columns * orders
    facts[row, LENGTH] -= 1
    length, code = facts[row, LENGTH], START
    for order in range(min(orders, length + 1)):
        code = mixed(code, units[row, length - order])
        slot = slot_of(row, code, facts[row, MASK], keys)
        if keys[row, slot] == 0:
            break
        for column in range(columns):
            facts[row, matches + column * orders + order] -= tally[row, slot, 0] <= tally[row, slot, 1 + column]
        tally[row, slot, 0] -= 1


@loop
def exchange(row, words, found, orders, facts, units, keys, tally):
    """Make the row's last words, those of its tail, the first `found` of `words`."""
    same, kept = 0, facts[row, KEPT]
    while kept + same < facts[row, LENGTH] and same < found and units[row, kept + same] == words[same]:
        same += 1
    while facts[row, LENGTH] > kept + same:
        take_back(row, orders, facts, units, keys, tally)
    for place in range(same, found):
        add(row, words[place], orders, facts, units, keys, tally)


@loop
def split_again(row, kind, orders, facts, units, tail, keys, tally, words, room):
    """Make the row's last words those of its tail as it stands; `words` and `room` (T,) are to work in."""
    count = facts[row, TAIL]
    while count > 0 and is_space(tail[row, count - 1]):
        count -= 1
    found = split(tail[row], count, kind, words, room)
    exchange(row, words, found, orders, facts, units, keys, tally)


@loop
def settled(row, facts, tail):
    """Whether the words of a tail that ends in white space stay what they are whatever follows, but for white space.

    A dash before a line break is taken out with it, unless the text ends there; "<skipped>" may hide the dash.
    """
    count, newline = facts[row, TAIL], False
    while count > 0 and is_space(tail[row, count - 1]):
        count -= 1
        newline = newline or tail[row, count] == NEWLINE
    return not newline or count == 0 or (tail[row, count - 1] != DASH and tail[row, count - 1] != GREATER)


@loop
def append(row, token, trial, kind, orders, facts, units, tail, keys, tally, pieces, starts, words, room):
    """Append a piece to the row's answer; in a trial the tail keeps its start, so that it can be cut back.

    Letters that go on with a word, or begin one after white space, are added to the code of that word; after anything
    else the tail is split again.
    """
    code, again = START, False  # of the word that is being written, START: none; whether the tail must be split again
    for at in range(starts[token], starts[token + 1]):
        c = np.int64(pieces[at])
        if c >= 128 or facts[row, NEED] > 0:
            c = fed(row, c, facts)
            if c < 0:
                continue
        if kind == CHARACTERS:
            if not is_space(c):
                add(row, np.uint64(c), orders, facts, units, keys, tally)
            continue
        count, letter = facts[row, TAIL], is_letter(c, kind)
        begins = (count == 0 or is_space(tail[row, count - 1])) and not is_space(c)
        if code != START and not letter:
            add(row, code, orders, facts, units, keys, tally)
            code = START
        if begins and not again:
            again = not settled(row, facts, tail)
            if not again and not trial:
                facts[row, KEPT], count = facts[row, LENGTH], 0
        if letter and not again and not begins and code == START:
            again = not is_letter(tail[row, count - 1], kind)
            if not again:
                take_back(row, orders, facts, units, keys, tally)
                code = units[row, facts[row, LENGTH]]
        again = again or not (letter or is_space(c))
        if letter and not again:
            code = mixed(code, np.uint64(c))
        tail[row, count] = c
        facts[row, TAIL] = count + 1
    if again:
        split_again(row, kind, orders, facts, units, tail, keys, tally, words, room)
    elif code != START:
        add(row, code, orders, facts, units, keys, tally)


@loop
def score(row, orders, facts, tally):
    """The metric of the row's answer as it stands."""
    sizes = facts[row, FIRST : FIRST + facts[row, REFERENCES]]
    right = facts[row, facts.shape[1] - (tally.shape[2] - 1) * orders :]
    return bleu(facts[row, LENGTH], sizes, right) if orders == 4 else chrf(facts[row, LENGTH], sizes, right)


@loop
def lacks_room(row, token, facts, units, tail, starts):
    size = starts[token + 1] - starts[token]
    longest = facts[row, LENGTH] + facts[row, TAIL] + size  # a word has at least one character
    return longest > units.shape[1] or facts[row, TAIL] + size > tail.shape[1]


@loop
def outside(indices, count):
    """Whether an index is not in 0..count-1."""
    for place in range(indices.size):
        index = indices.flat[place]
        if index < 0 or index >= count:
            return True
    return False


@loop
def extend(done, trial, rows, tokens, kind, orders, facts, units, tail, keys, tally, pieces, starts, words, room, out):
    """Append pieces to `rows` from number `done` on, and write to `out` what the scores are then.

    `words` (2, T or more) and `room` (T or more) are to work in.

    `out` has a line for every row there is; in a trial one for each of `rows`, and each of `tokens` (B, k) is taken
    back before the next. Returns how many are done, since a row without room ends it; or -1 for an index out of range.
    """
    if done == 0 and (outside(rows, len(facts)) or outside(tokens, len(starts) - 1)):
        return -1
    for number in range(done, len(rows)):
        row = rows[number]
        length, kept, size = facts[row, LENGTH], facts[row, KEPT], facts[row, TAIL]
        need, low, high, part = facts[row, NEED], facts[row, LOW], facts[row, HIGH], facts[row, PART]
        if trial and kind != CHARACTERS:
            for place in range(length - kept):
                words[1, place] = units[row, kept + place]
        for place in range(tokens.shape[1]):
            token = tokens[number, place]
            if lacks_room(row, token, facts, units, tail, starts):
                return number
            append(row, token, trial, kind, orders, facts, units, tail, keys, tally, pieces, starts, words[0], room)
            out[number if trial else row, place] = score(row, orders, facts, tally)
            if not trial:
                continue
            facts[row, TAIL] = size
            facts[row, NEED], facts[row, LOW], facts[row, HIGH], facts[row, PART] = need, low, high, part
            if kind != CHARACTERS:
                exchange(row, words[1], length - kept, orders, facts, units, keys, tally)
            while facts[row, LENGTH] > length:
                take_back(row, orders, facts, units, keys, tally)
    return len(rows)


@loop
def begin(done, rows, examples, kind, orders, facts, keys, tally, texts, text_starts, example_starts, words, room):
    """Give `rows`, from number `done` on, an empty answer and the references of its example.

    Returns how many are done, since a table too small ends it: it must have `facts[row, MASK] + 1` columns; or -1 for
    an index out of range.
    """
    if done == 0 and (outside(rows, len(facts)) or outside(examples, len(example_starts) - 1)):
        return -1
    columns = tally.shape[2] - 1
    for number in range(done, len(rows)):
        row, first, last = rows[number], example_starts[examples[number]], example_starts[examples[number] + 1]
        out = words[0]
        for column in range(facts.shape[1]):
            facts[row, column] = 0
        facts[row, REFERENCES] = last - first
        total = 0
        for text in range(first, last):
            size = units_of(texts[text_starts[text] : text_starts[text + 1]], kind, out[total:], room)
            facts[row, FIRST + text - first] = size
            total += size
        slots = 2
        while slots < 2 * orders * total:
            slots *= 2
        facts[row, MASK] = slots - 1
        if slots > keys.shape[1]:
            return number
        for slot in range(slots):
            keys[row, slot] = 0
            for column in range(columns + 1):
                tally[row, slot, column] = 0
        start, together = 0, columns == 1 and last - first > 1
        for text in range(last - first):
            for end in range(facts[row, FIRST + text]):
                code = START
                for order in range(min(orders, end + 1)):
                    code = mixed(code, out[start + end - order])
                    slot = slot_of(row, code, slots - 1, keys)
                    keys[row, slot] = code
                    if together:
                        tally[row, slot, 0] += 1
                        tally[row, slot, 1] = max(tally[row, slot, 0], tally[row, slot, 1])
                    else:
                        tally[row, slot, 1 + text] += 1
            start += facts[row, FIRST + text]
            if together:
                for slot in range(slots):
                    tally[row, slot, 0] = 0
    return len(rows)
