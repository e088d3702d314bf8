/* engine_port - see engine_port.h. */
#include "engine/engine_port.h"

enum status engine_port_init(struct engine_port *port, struct engine *engine, struct error *err)
{
    *port = (struct engine_port){.engine = engine};
    return queue_init(&port->outbox, ENGINE_PORT_OUTBOX_MAX, sizeof(struct step_event), err);
}

static void free_polled(struct engine_port *port)
{
    for (uint32_t i = 0; i < port->polled_count; i++)
        seq_job_free(port->polled[i].job);
    port->polled_count = 0;
}

void engine_port_deinit(struct engine_port *port)
{
    struct step_event item;
    free_polled(port);
    if (!port->outbox.items)
        return;
    while (queue_pull(&port->outbox, &item, 0))
        seq_job_free(item.job);
    queue_deinit(&port->outbox);
    port->outbox.items = NULL;
}

size_t engine_port_take(struct engine_port *port, struct engine_event *events, size_t max,
                        int wait_ms, uint32_t *jobs_ended)
{
    size_t count = 0;
    *jobs_ended = 0;
    free_polled(port);
    if (max > ENGINE_PORT_POLL_MAX)
        max = ENGINE_PORT_POLL_MAX;
    if (wait_ms < 0 && atomic_load(&port->outstanding) == 0)
        wait_ms = 0;
    while (count < max) {
        struct step_event *item = &port->polled[count];
        if (!queue_pull(&port->outbox, item, count == 0 ? wait_ms : 0))
            break;
        item->event.text = (struct text){.data = item->bytes, .size = item->byte_count};
        item->event.tops = item->tops;
        events[count++] = item->event;
        port->polled_count++;
        *jobs_ended += item->job != NULL;
    }
    atomic_fetch_sub(&port->outstanding, *jobs_ended);
    return count;
}
