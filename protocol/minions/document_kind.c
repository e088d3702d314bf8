/* document_kind - see document_kind.h. */
#include "protocol/minions/document_kind.h"

#include <strings.h>

enum { HEAD_BYTES = 1024, NAME_BYTES_MAX = 160 };

/* What a file with these bytes at this place is. None may begin a text that people write. */
struct magic {
    size_t offset;
    struct text bytes;
    const char *what;
};

static const struct magic MAGICS[] = {
    {0, {"\x89PNG\r\n\x1a\n", 8}, "a PNG image"},
    {0, {"\xff\xd8\xff", 3}, "a JPEG image"},
    {0, {"GIF87a", 6}, "a GIF image"},
    {0, {"GIF89a", 6}, "a GIF image"},
    {8, {"WEBPVP8", 7}, "a WebP image"},
    {8, {"WAVEfmt", 7}, "a WAV recording"},
    {8, {"AVI LIST", 8}, "an AVI film"},
    {0, {"II*\0", 4}, "a TIFF image"},
    {0, {"MM\0*", 4}, "a TIFF image"},
    {4, {"ftyp", 4}, "a film, recording or image (ISO media)"},
    {0, {"\0\0\1\0", 4}, "an icon"},
    {0, {"8BPS\0", 5}, "a Photoshop image"},
    {0,
     {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8},
     "an old Word, Excel or PowerPoint file, or an encrypted new one; a copy saved as .docx or "
     "PDF can be read"},
    {0, {"{\\rtf", 5}, "an RTF document; a copy saved as .docx or PDF can be read"},
    {0, {"%!PS", 4}, "a PostScript document; a copy as PDF can be read"},
    {0, {"\x1f\x8b", 2}, "a gzip archive"},
    {0, {"BZh", 3}, "a bzip2 archive"},
    {0,
     {"\xfd"
      "7zXZ\0",
      6},
     "an xz archive"},
    {0, {"7z\xbc\xaf\x27\x1c", 6}, "a 7z archive"},
    {0, {"Rar!\x1a\x07", 6}, "a RAR archive"},
    {0, {"\x28\xb5\x2f\xfd", 4}, "a Zstandard archive"},
    {257, {"ustar", 5}, "a tar archive"},
    {0, {"PK\5\6", 4}, "an empty zip archive"},
    {0, {"!<arch>\n", 8}, "a library or package (ar)"},
    {0,
     {"\x7f"
      "ELF",
      4},
     "an executable (ELF)"},
    {0, {"\xcf\xfa\xed\xfe", 4}, "an executable (Mach-O)"},
    {0, {"\xca\xfe\xba\xbe", 4}, "compiled code (Java or Mach-O)"},
    {0, {"\0asm", 4}, "compiled code (WebAssembly)"},
    {0, {"SQLite format 3\0", 16}, "an SQLite database"},
    {0, {"ID3", 3}, "an MP3 recording"},
    {0, {"OggS\0", 5}, "an Ogg recording"},
    {0, {"fLaC\0", 5}, "a FLAC recording"},
    {0, {"\x1a\x45\xdf\xa3", 4}, "a Matroska film"},
    {0, {"wOFF\0", 5}, "a font"},
    {0, {"wOF2\0", 5}, "a font"},
    {0, {"\0\1\0\0\0", 5}, "a font"},
    {0, {"GGUF", 4}, "a model (GGUF)"},
};

/* Zip archives that are no Word document, by how they are named. */
static const struct {
    const char *ending, *what;
} ZIPPED[] = {
    {".xlsx", "an Excel workbook; a copy as CSV can be read"},
    {".pptx", "a PowerPoint presentation; a copy as PDF can be read"},
    {".odt", "an OpenDocument text; a copy as .docx or PDF can be read"},
    {".ods", "an OpenDocument spreadsheet; a copy as CSV can be read"},
    {".odp", "an OpenDocument presentation; a copy as PDF can be read"},
    {".epub", "an EPUB book; a copy as HTML or PDF can be read"},
    {".jar", "a Java archive"},
    {".apk", "an Android package"},
    {".whl", "a Python package"},
    {".zip", "a zip archive; what is in it can be read once unpacked"},
};

static bool has_ending(struct text path, const char *ending)
{
    const struct text wanted = text_of(ending);
    return path.size > wanted.size &&
           strncasecmp(path.data + path.size - wanted.size, ending, wanted.size) == 0;
}

static bool begins(struct text text, const char *word)
{
    const struct text wanted = text_of(word);
    return text.size >= wanted.size && strncasecmp(text.data, word, wanted.size) == 0;
}

/* Whether the first thing in it, behind white space, a byte order mark, comments and an XML
 * declaration, is one that opens a page. */
static bool is_page(struct text bytes)
{
    struct text head = text_slice(bytes, 0, HEAD_BYTES);
    if (text_starts(head, TEXT("\xef\xbb\xbf")))
        head = text_slice(head, 3, head.size);
    for (head = text_trim(head); head.size > 0; head = text_trim(head)) {
        const bool is_comment = text_starts(head, TEXT("<!--"));
        if (!is_comment && !text_starts(head, TEXT("<?xml")))
            break;
        const size_t end = text_find(head, is_comment ? TEXT("-->") : TEXT("?>"), 0);
        if (end == SIZE_MAX)
            return false;
        head = text_slice(head, end + (is_comment ? 3 : 2), head.size);
    }
    return begins(head, "<!doctype html") || begins(head, "<html") || begins(head, "<head>") ||
           begins(head, "<body");
}

enum status document_kind_of(struct text bytes, struct text path, enum document_kind *kind,
                             struct error *err)
{
    const struct text shown = text_slice(path, 0, NAME_BYTES_MAX);
    *kind = DOCUMENT_TEXT;
    for (size_t i = 0; i < sizeof(MAGICS) / sizeof(MAGICS[0]); i++) {
        const struct magic *magic = &MAGICS[i];
        const size_t end = magic->offset + magic->bytes.size;
        if (bytes.size >= end &&
            text_equal(text_slice(bytes, magic->offset, end), magic->bytes))
            FAIL(err, ERR_FORMAT, "%.*s: it is %s", TEXT_ARG(shown), magic->what);
    }
    if (text_starts(bytes, TEXT("PK\3\4"))) {
        for (size_t i = 0; i < sizeof(ZIPPED) / sizeof(ZIPPED[0]); i++)
            if (has_ending(path, ZIPPED[i].ending))
                FAIL(err, ERR_FORMAT, "%.*s: it is %s", TEXT_ARG(shown), ZIPPED[i].what);
        *kind = DOCUMENT_DOCX;
    } else if (text_starts(bytes, TEXT("%PDF-")) || has_ending(path, ".pdf")) {
        *kind = DOCUMENT_PDF;
    } else if (is_page(bytes) || has_ending(path, ".html") || has_ending(path, ".htm") ||
               has_ending(path, ".xhtml")) {
        *kind = DOCUMENT_HTML;
    }
    return OK;
}
