/* regex_property - see regex_property.h. */
#include "engine/regex_property.h"

#include "tokenizer/unicode.h"

#define BIT(category) (1u << UNICODE_##category)
#define LETTERS       (BIT(LU) | BIT(LL) | BIT(LT) | BIT(LM) | BIT(LO))
#define MARKS         (BIT(MN) | BIT(MC) | BIT(ME))
#define NUMBERS       (BIT(ND) | BIT(NL) | BIT(NO))
#define DASHES        (BIT(PC) | BIT(PD))
#define PUNCTUATION   (DASHES | BIT(PS) | BIT(PE) | BIT(PI) | BIT(PF) | BIT(PO))
#define SYMBOLS       (BIT(SM) | BIT(SC) | BIT(SK) | BIT(SO))
#define SEPARATORS    (BIT(ZS) | BIT(ZL) | BIT(ZP))
#define CONTROLS      (BIT(CC) | BIT(CC_SPACE)) /* white space among them is told apart */
#define OTHERS        (CONTROLS | BIT(CF) | BIT(CS) | BIT(CO) | BIT(CN))

static const struct {
    const char *names[3]; /* short, long, and another alias */
    uint32_t categories;
} PROPERTIES[] = {
    {{"L", "Letter"}, LETTERS},
    {{"LC", "Cased_Letter"}, BIT(LU) | BIT(LL) | BIT(LT)},
    {{"Lu", "Uppercase_Letter"}, BIT(LU)},
    {{"Ll", "Lowercase_Letter"}, BIT(LL)},
    {{"Lt", "Titlecase_Letter"}, BIT(LT)},
    {{"Lm", "Modifier_Letter"}, BIT(LM)},
    {{"Lo", "Other_Letter"}, BIT(LO)},
    {{"M", "Mark", "Combining_Mark"}, MARKS},
    {{"Mn", "Nonspacing_Mark"}, BIT(MN)},
    {{"Mc", "Spacing_Mark"}, BIT(MC)},
    {{"Me", "Enclosing_Mark"}, BIT(ME)},
    {{"N", "Number"}, NUMBERS},
    {{"Nd", "Decimal_Number", "digit"}, BIT(ND)},
    {{"Nl", "Letter_Number"}, BIT(NL)},
    {{"No", "Other_Number"}, BIT(NO)},
    {{"P", "Punctuation", "punct"}, PUNCTUATION},
    {{"Pc", "Connector_Punctuation"}, BIT(PC)},
    {{"Pd", "Dash_Punctuation"}, BIT(PD)},
    {{"Ps", "Open_Punctuation"}, BIT(PS)},
    {{"Pe", "Close_Punctuation"}, BIT(PE)},
    {{"Pi", "Initial_Punctuation"}, BIT(PI)},
    {{"Pf", "Final_Punctuation"}, BIT(PF)},
    {{"Po", "Other_Punctuation"}, BIT(PO)},
    {{"S", "Symbol"}, SYMBOLS},
    {{"Sm", "Math_Symbol"}, BIT(SM)},
    {{"Sc", "Currency_Symbol"}, BIT(SC)},
    {{"Sk", "Modifier_Symbol"}, BIT(SK)},
    {{"So", "Other_Symbol"}, BIT(SO)},
    {{"Z", "Separator"}, SEPARATORS},
    {{"Zs", "Space_Separator"}, BIT(ZS)},
    {{"Zl", "Line_Separator"}, BIT(ZL)},
    {{"Zp", "Paragraph_Separator"}, BIT(ZP)},
    {{"C", "Other"}, OTHERS},
    {{"Cc", "Control", "cntrl"}, CONTROLS},
    {{"Cf", "Format"}, BIT(CF)},
    {{"Cs", "Surrogate"}, BIT(CS)},
    {{"Co", "Private_Use"}, BIT(CO)},
    {{"Cn", "Unassigned"}, BIT(CN)},
    {{"Any"}, UINT32_MAX},
    {{"Assigned"}, ~BIT(CN)},
};

bool regex_property_find(struct text name, uint32_t *categories)
{
    static const char *const PREFIXES[] = {"General_Category=", "gc="};
    for (size_t i = 0; i < 2; i++) {
        const struct text prefix = text_of(PREFIXES[i]);
        if (text_starts(name, prefix))
            name = text_slice(name, prefix.size, name.size);
    }
    for (size_t i = 0; i < sizeof PROPERTIES / sizeof *PROPERTIES; i++)
        for (size_t k = 0; k < 3 && PROPERTIES[i].names[k]; k++)
            if (text_equal(name, text_of(PROPERTIES[i].names[k]))) {
                *categories = PROPERTIES[i].categories;
                return true;
            }
    return false;
}
