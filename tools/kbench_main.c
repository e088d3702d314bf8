/* kbench_main - cohort kbench as a program of its own: it needs neither curl nor SQLite. */
#include "tools/cohort.h"

int main(int argc, char **argv)
{
    return kbench_main(argc, argv);
}
