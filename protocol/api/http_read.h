/*
 * http_read - what libmicrohttpd calls, on its own thread: requests as they come in, streams
 * as they go out.
 */
#ifndef API_HTTP_READ_H
#define API_HTTP_READ_H

#include "protocol/api/http_exchange.h"

#include <sys/types.h>

/* The library's callbacks (microhttpd.h); self is struct http, of a stream the exchange. */
enum MHD_Result http_read_request(void *self, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **state);
void http_read_completed(void *self, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why);
void http_read_connection(void *self, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode code);
size_t http_read_unescape(void *self, struct MHD_Connection *connection, char *text);
/* The next piece of a stream; where there is none yet the connection sleeps until http_send. */
ssize_t http_read_stream(void *self, uint64_t position, char *to, size_t max);

#endif
