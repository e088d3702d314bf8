/* model_file - see model_file.h. */
#include "engine/model_file.h"

enum status model_file_open(struct model_file *file, const char *path, struct error *err)
{
    *file = (struct model_file){.is_folder = hf_folder_is(path)};
    if (!file->is_folder) {
        TRY(gguf_split_open(&file->split, path, err));
        file->gguf = &file->split.gguf;
        for (uint32_t i = 0; i < file->split.part_count; i++)
            file->bytes += file->split.maps[i].size;
        return OK;
    }
    TRY(hf_folder_open(&file->folder, path, err));
    file->gguf = &file->folder.gguf;
    for (uint32_t i = 0; i < file->folder.shard_count; i++)
        file->bytes += file->folder.shards[i].map.size;
    return OK;
}

bool model_file_has(const struct model_file *file, const char *path)
{
    for (uint32_t i = 0; i < file->split.part_count; i++)
        if (file_map_is(&file->split.maps[i], path))
            return true;
    for (uint32_t i = 0; i < file->folder.shard_count; i++)
        if (file_map_is(&file->folder.shards[i].map, path))
            return true;
    return false;
}

void model_file_close(struct model_file *file)
{
    gguf_split_close(&file->split);
    hf_folder_close(&file->folder);
    *file = (struct model_file){0};
}
