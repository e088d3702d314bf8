/* engine_job - see engine_job.h. */
#include "engine/engine_job.h"

const char engine_job_output_schema[] =
    "{\"type\": \"object\", \"x-in-order\": true, \"additionalProperties\": false, "
    "\"required\": [\"explanation\", \"citation\", \"answer\"], \"properties\": {"
    "\"explanation\": {\"type\": \"string\", \"maxLength\": 300}, "
    "\"citation\": {\"type\": [\"string\", \"null\"], \"x-copied-from\": \"chunk\", "
    "\"maxLength\": 400}, "
    "\"answer\": {\"type\": [\"string\", \"null\"], \"maxLength\": 300}}}";
