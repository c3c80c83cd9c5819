"""The PDF writer: its cross-reference table must point at every object."""
import re
from unittest import TestCase

from store.pdf import Pdf


class PdfTest(TestCase):
    def setUp(self):
        pdf = Pdf("A (title) with \\ in it")
        pdf.text(10, 20, "Waltz (in 3/4) — 24 € 漢")
        pdf.new_page()
        pdf.box(0, 0, 10, 10, (1, 0.5, 0))
        self.data = pdf.to_bytes()

    def test_offsets(self):
        start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", self.data).group(1))
        self.assertEqual(self.data[start:start + 4], b"xref")
        offsets = re.findall(rb"(\d{10}) 00000 n \n", self.data[start:])
        self.assertEqual(len(offsets), 9)
        for number, offset in enumerate(offsets, 1):
            self.assertTrue(self.data[int(offset):].startswith(b"%d 0 obj\n" % number), number)

    def test_lengths_of_the_streams(self):
        streams = re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", self.data, re.S)
        self.assertEqual(len(streams), 2)
        for length, stream in streams:
            self.assertEqual(int(length), len(stream))

    def test_text_is_escaped_and_what_cannot_be_written_is_a_question_mark(self):
        self.assertIn(b"(Waltz \\(in 3/4\\) \x97 24 \x80 ?) Tj", self.data)
        self.assertIn(b"/Title (A \\(title\\) with \\\\ in it)", self.data)
