"""Operators on strings."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case


def words(*texts: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    return np.array(texts, dtype=object).reshape(shape or (len(texts),))


def cases() -> Iterator[Case]:
    n = Numbers("text")
    yield case("StringConcat", "broadcast", [n.words(2, 1, 3), n.words(3)], opset=20)
    yield case("StringConcat", "scalar", [words("é", "a"), np.array("ß", dtype=object)], constants=(1,))
    yield from split()
    texts = words("a1", "b22", "", "naïve", "x_y")
    for name, pattern in (("digits", r"[a-z]\d+"), ("ascii_words", r"\w+"), ("empty", ""), ("alternatives", "a1|b|b22")):
        yield case("RegexFullMatch", name, [texts], opset=20, pattern=pattern)
    yield case("RegexFullMatch", "matrix", [words("a@b.com", "a@b", "x@y.com", "", shape=(2, 2))], pattern=r"[^@]+@[^@]+\.com")
    days = words("Monday", "tuesday", "MONDAY", "Friday")
    yield case("StringNormalizer", "lower", [days], opset=10, case_change_action="LOWER", stopwords=["monday"], locale="C")
    yield case("StringNormalizer", "upper_sensitive", [days], case_change_action="UPPER", stopwords=["MONDAY"], is_case_sensitive=1, locale="C")
    yield case("StringNormalizer", "row", [days.reshape(1, 4)], stopwords=["friday"], is_case_sensitive=0, locale="C")
    yield case("StringNormalizer", "unchanged", [days], locale="C")
    yield case("StringNormalizer", "nothing_left", [words("a", "a")], stopwords=["a"], is_case_sensitive=1, locale="C")
    yield from n_grams()


def split() -> Iterator[Case]:
    # Of an empty string ONNX Runtime makes no part; the specification's reference implementation makes one, an empty string.
    sentences = words("a.b..c", ".", ".x", "no", shape=(2, 2))
    yield case("StringSplit", "delimiter", [sentences], n_outputs=2, opset=20, delimiter=".")
    yield case("StringSplit", "limited", [sentences], n_outputs=2, delimiter=".", maxsplit=1)
    yield case("StringSplit", "spaces", [words(" a  b c ", "d", "  ")], n_outputs=2)
    yield case("StringSplit", "spaces_limited", [words(" a  b  c", "d e")], n_outputs=2, maxsplit=1)


def n_grams() -> Iterator[Case]:
    # Singles 2, 3, 5, 4 and pairs (5, 6), (7, 8), (6, 7); the columns are not in the order of the pool.
    pool = {"ngram_counts": [0, 4], "ngram_indexes": [6, 1, 2, 3, 4, 5, 0], "pool_int64s": [2, 3, 5, 4, 5, 6, 7, 8, 6, 7]}
    weights = {"weights": [0.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]}
    numbers = np.array([[1, 1, 3, 3, 3, 7], [8, 6, 7, 5, 6, 8]], np.int32)
    for mode in ("TF", "IDF", "TFIDF"):
        lengths = {"min_gram_length": 1, "max_gram_length": 2, "max_skip_count": 1}
        yield case("TfIdfVectorizer", f"{mode.lower()}_numbers", [numbers], opset=9, mode=mode, **lengths, **pool, **weights)
        yield case("TfIdfVectorizer", f"{mode.lower()}_unweighted", [numbers.astype(np.int64)], mode=mode, **lengths, **pool)
    for skips in (0, 3):
        lengths = {"min_gram_length": 2, "max_gram_length": 2, "max_skip_count": skips}
        yield case("TfIdfVectorizer", f"pairs_skip{skips}", [numbers.reshape(-1)], mode="TF", **lengths, **pool)
    texts = {"ngram_counts": [0, 2, 4], "ngram_indexes": [0, 1, 2, 3], "pool_strings": ["the", "cat", "the", "cat", "a", "the", "cat"]}
    sentence = words("the", "cat", "sat", "the", "cat", "a", "the", "cat")
    yield case("TfIdfVectorizer", "strings", [sentence], mode="TF", min_gram_length=1, max_gram_length=3, max_skip_count=0, **texts)
    yield case("TfIdfVectorizer", "empty", [np.zeros((2, 0), np.int64)], mode="TF", min_gram_length=1, max_gram_length=1, max_skip_count=0, **pool)
