/*
 * regex_re2 - see regex.h: RE2 behind C functions. The only file that is C++.
 *
 * No exception leaves: RE2 reports by values, and what allocates is caught here.
 */
#include "protocol/dsl/regex.h"

#include <cstring>
#include <memory>
#include <new>
#include <re2/re2.h>
#include <string>

struct regex {
    std::unique_ptr<re2::RE2> re2;
    bool ends_open; /* `$` also stands before a last newline */
    regex *next;
};

namespace
{

/* One search in RE2's own terms, `$` meaning the end alone. */
bool find_once(const re2::RE2 &re2, text subject, size_t from, regex_anchor anchor,
               regex_span *spans)
{
    re2::StringPiece groups[REGEX_GROUPS_MAX + 1];
    const int count = re2.NumberOfCapturingGroups() + 1;
    const re2::StringPiece whole(subject.data ? subject.data : "", subject.size);
    const re2::RE2::Anchor how = anchor == REGEX_SEARCH  ? re2::RE2::UNANCHORED
                                 : anchor == REGEX_MATCH ? re2::RE2::ANCHOR_START
                                                         : re2::RE2::ANCHOR_BOTH;
    if (!re2.Match(whole, from, subject.size, how, groups, count))
        return false;
    for (int i = 0; i < count; i++) {
        spans[i].begin = spans[i].end = SIZE_MAX;
        if (groups[i].data() == nullptr)
            continue;
        spans[i].begin = static_cast<size_t>(groups[i].data() - whole.data());
        spans[i].end = spans[i].begin + groups[i].size();
    }
    return true;
}

void copy_message(const std::string &from, char message[200])
{
    const size_t size = from.size() < 199 ? from.size() : 199;
    std::memcpy(message, from.data(), size);
    message[size] = '\0';
}

} // namespace

extern "C" regex *regex_open(text translated, bool ends_open, size_t memory_max, regex **list,
                             char message[200])
try {
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_max_mem(static_cast<int64_t>(memory_max));
    auto made = std::make_unique<regex>();
    made->re2 = std::make_unique<re2::RE2>(
        re2::StringPiece(translated.data ? translated.data : "", translated.size), options);
    if (!made->re2->ok()) {
        copy_message(made->re2->error(), message);
        return nullptr;
    }
    if (made->re2->NumberOfCapturingGroups() > REGEX_GROUPS_MAX) {
        copy_message("the regular expression has more than 100 groups", message);
        return nullptr;
    }
    made->ends_open = ends_open;
    made->next = *list;
    *list = made.get();
    return made.release();
} catch (const std::bad_alloc &) {
    copy_message("no memory for the regular expression", message);
    return nullptr;
}

extern "C" void regex_close_all(regex *list)
{
    while (list) {
        regex *next = list->next;
        delete list;
        list = next;
    }
}

extern "C" uint32_t regex_group_count(const regex *regex)
{
    return static_cast<uint32_t>(regex->re2->NumberOfCapturingGroups());
}

extern "C" int32_t regex_group_find(const regex *regex, text name)
{
    for (const auto &group : regex->re2->NamedCapturingGroups())
        if (group.first.size() == name.size &&
            std::memcmp(group.first.data(), name.data, name.size) == 0)
            return group.second;
    return -1;
}

extern "C" bool regex_has_names(const regex *regex)
{
    return !regex->re2->NamedCapturingGroups().empty();
}

extern "C" text regex_group_name(const regex *regex, uint32_t group)
{
    for (const auto &name : regex->re2->NamedCapturingGroups())
        if (name.second == static_cast<int>(group))
            return text{name.first.data(), name.first.size()};
    return text{nullptr, 0};
}

/* Where `$` may stand before a last newline, the text is searched with and without it, and the
 * match that begins first is taken: Python's answer but for patterns that look at both. */
extern "C" bool regex_find(const regex *regex, text subject, size_t from, regex_anchor anchor,
                           regex_span *spans)
{
    const bool found = find_once(*regex->re2, subject, from, anchor, spans);
    if (!regex->ends_open || subject.size == 0 || subject.data[subject.size - 1] != '\n' ||
        from >= subject.size || anchor == REGEX_FULLMATCH)
        return found;
    regex_span other[REGEX_GROUPS_MAX + 1];
    const text shorter = {subject.data, subject.size - 1};
    if (!find_once(*regex->re2, shorter, from, anchor, other) ||
        (found && spans[0].begin <= other[0].begin))
        return found;
    std::memcpy(spans, other, sizeof other);
    return true;
}
