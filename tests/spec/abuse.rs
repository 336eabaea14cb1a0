//! Documents made to hurt the reader: they are refused, quickly, with a sentence.
