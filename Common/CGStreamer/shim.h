// What `GStreamer` needs of the library: macros and casts that Swift cannot import, as functions.
#ifndef STRATA_GSTREAMER_SHIM_H
#define STRATA_GSTREAMER_SHIM_H

#include <gio/gio.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/sdp/gstsdpmessage.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>

// G_OBJECT_GET_CLASS is a macro. NULL where the element has no such property.
static inline GParamSpec *strata_find_property(GstElement *element, const char *name) {
    return g_object_class_find_property(G_OBJECT_GET_CLASS(element), name);
}

// The G_TYPE_… constants are casts.
static inline GType strata_type_int64(void) { return G_TYPE_INT64; }
static inline GType strata_type_int(void) { return G_TYPE_INT; }
static inline GType strata_type_double(void) { return G_TYPE_DOUBLE; }
static inline GType strata_type_boolean(void) { return G_TYPE_BOOLEAN; }
static inline GType strata_type_string(void) { return G_TYPE_STRING; }
static inline GType strata_type_fraction(void) { return GST_TYPE_FRACTION; }
static inline GType strata_type_array(void) { return GST_TYPE_ARRAY; }
static inline GType strata_type_buffer(void) { return GST_TYPE_BUFFER; }

// GLib's old array of values, which `level` still posts: deprecated, and Swift would warn of each use. NULL for another type.
static inline const GValueArray *strata_old_array(const GValue *value) {
    G_GNUC_BEGIN_IGNORE_DEPRECATIONS
    return G_VALUE_HOLDS(value, g_value_array_get_type()) ? (const GValueArray *)g_value_get_boxed(value) : NULL;
    G_GNUC_END_IGNORE_DEPRECATIONS
}
static inline guint strata_old_array_count(const GValue *value) {
    const GValueArray *array = strata_old_array(value);
    return array != NULL ? array->n_values : 0;
}
// Below its count.
static inline const GValue *strata_old_array_at(const GValue *value, guint index) { return strata_old_array(value)->values + index; }
static inline int strata_holds_old_array(const GValue *value) { return strata_old_array(value) != NULL; }

// Casts between GObject's classes, unchecked: the callers know what they hold.
static inline GObject *strata_object(void *object) { return (GObject *)object; }
static inline GstElement *strata_element(void *object) { return (GstElement *)object; }
static inline GstPluginFeature *strata_feature(GstElementFactory *factory) { return (GstPluginFeature *)factory; }
static inline GstBin *strata_bin(void *object) { return (GstBin *)object; }
static inline GstAppSrc *strata_app_source(GstElement *element) { return GST_IS_APP_SRC(element) ? (GstAppSrc *)element : NULL; }
static inline GstAppSink *strata_app_sink(GstElement *element) { return GST_IS_APP_SINK(element) ? (GstAppSink *)element : NULL; }
static inline int strata_is_pipeline(GstElement *element) { return GST_IS_PIPELINE(element); }

static inline GstMessageType strata_message_type(GstMessage *message) { return GST_MESSAGE_TYPE(message); }

// The name of the object that posted the message; the caller frees it with g_free. NULL where there is none.
static inline char *strata_message_source(GstMessage *message) {
    return GST_MESSAGE_SRC(message) != NULL ? gst_object_get_name(GST_MESSAGE_SRC(message)) : NULL;
}

// The type of the element that posted the message: "x264enc". Owned by the library. NULL for other objects.
static inline const char *strata_message_factory(GstMessage *message) {
    if (!GST_IS_ELEMENT(GST_MESSAGE_SRC(message))) return NULL;
    GstElementFactory *factory = gst_element_get_factory((GstElement *)GST_MESSAGE_SRC(message));
    return factory != NULL ? gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(factory)) : NULL;
}

static inline gboolean strata_message_is_from(GstMessage *message, GstElement *element) {
    return GST_MESSAGE_SRC(message) == (GstObject *)element;
}

// The unref functions of mini objects are inline in some versions and exported in others.
static inline void strata_message_unref(GstMessage *message) { gst_message_unref(message); }
static inline void strata_buffer_unref(GstBuffer *buffer) { gst_buffer_unref(buffer); }
static inline void strata_sample_unref(GstSample *sample) { gst_sample_unref(sample); }
static inline void strata_caps_unref(GstCaps *caps) { gst_caps_unref(caps); }
static inline void strata_event_unref(GstEvent *event) { gst_event_unref(event); }
static inline GstBuffer *strata_buffer_ref(GstBuffer *buffer) { return gst_buffer_ref(buffer); }
static inline void strata_buffer_list_unref(GstBufferList *list) { gst_buffer_list_unref(list); }

// A second buffer on the same memory, whose timestamps can be changed. The parent is kept until it is gone.
static inline GstBuffer *strata_buffer_share(GstBuffer *buffer) {
    return gst_buffer_copy_region(buffer, GST_BUFFER_COPY_ALL, 0, -1);
}
static inline gboolean strata_buffer_is_writable(GstBuffer *buffer) { return gst_buffer_is_writable(buffer); }
static inline GstClockTime strata_pts(GstBuffer *buffer) { return GST_BUFFER_PTS(buffer); }
static inline GstClockTime strata_dts(GstBuffer *buffer) { return GST_BUFFER_DTS(buffer); }
static inline GstClockTime strata_duration(GstBuffer *buffer) { return GST_BUFFER_DURATION(buffer); }
static inline guint strata_flags(GstBuffer *buffer) { return GST_BUFFER_FLAGS(buffer); }
static inline void strata_stamp(GstBuffer *buffer, GstClockTime pts, GstClockTime dts, guint set, guint clear) {
    GST_BUFFER_PTS(buffer) = pts;
    GST_BUFFER_DTS(buffer) = dts;
    GST_BUFFER_FLAG_SET(buffer, set);
    GST_BUFFER_FLAG_UNSET(buffer, clear);
}
static inline void strata_stamp_duration(GstBuffer *buffer, GstClockTime duration) { GST_BUFFER_DURATION(buffer) = duration; }

static inline GstBuffer *strata_probe_buffer(GstPadProbeInfo *info) {
    return (info->type & GST_PAD_PROBE_TYPE_BUFFER) ? GST_PAD_PROBE_INFO_BUFFER(info) : NULL;
}
static inline GstBufferList *strata_probe_list(GstPadProbeInfo *info) {
    return (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) ? GST_PAD_PROBE_INFO_BUFFER_LIST(info) : NULL;
}
// Makes the probed buffer writable in place, as the macro's documentation prescribes.
static inline GstBuffer *strata_probe_writable_buffer(GstPadProbeInfo *info) {
    GstBuffer *buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
    return buffer;
}

// G_IS_SOCKET_CONNECTION is a macro. -1 where it is none, or closed.
static inline int strata_connection_descriptor(void *connection) {
    if (!G_IS_SOCKET_CONNECTION(connection)) return -1;
    return g_socket_get_fd(g_socket_connection_get_socket((GSocketConnection *)connection));
}

// NULL where it is none. The connection owns it.
static inline GSocket *strata_connection_socket(void *connection) {
    if (!G_IS_SOCKET_CONNECTION(connection)) return NULL;
    return g_socket_connection_get_socket((GSocketConnection *)connection);
}

// From now on each GSocketClient is made without proxies, which rtmp2sink, whose client it is, has no property for: this is the default
// of one that is set when an object is made. The class is kept for good.
static inline void strata_make_clients_without_proxies(void) {
    GParamSpec *proxies = g_object_class_find_property((GObjectClass *)g_type_class_ref(G_TYPE_SOCKET_CLIENT), "enable-proxy");
    if (G_IS_PARAM_SPEC_BOOLEAN(proxies)) G_PARAM_SPEC_BOOLEAN(proxies)->default_value = FALSE;
}

// What the kernel counts of a TCP socket, in bytes.
struct strata_socket_counts {
    guint64 received, acknowledged;
    // What the peer would take beyond what it has acknowledged.
    guint64 window;
    // Something was written that is not acknowledged.
    int is_owed;
};

// 0 where it is closed or no TCP. struct tcp_info of <linux/tcp.h> (tcpi_snd_wnd: since 5.4) at these offsets: glibc's own ends
// before them, and the two headers exclude each other.
static inline int strata_socket_count(GSocket *socket, struct strata_socket_counts *counts) {
    guint64 wide[29];
    const guint32 *info = (const guint32 *)wide;
    socklen_t length = sizeof wide;
    int descriptor = g_socket_is_closed(socket) ? -1 : g_socket_get_fd(socket);
    if (descriptor < 0 || getsockopt(descriptor, IPPROTO_TCP, 11 /* TCP_INFO */, wide, &length) != 0 || length < sizeof wide) return 0;
    counts->acknowledged = wide[15];
    counts->received = wide[16];
    counts->window = info[57];
    counts->is_owed = info[6] /* tcpi_unacked */ != 0 || info[36] /* tcpi_notsent_bytes */ != 0;
    return 1;
}

static inline void strata_task_unref(GTask *task) { g_object_unref(task); }

// GST_CLOCK_TIME_NONE and the clock type are not importable.
static inline GstClockTime strata_no_time(void) { return GST_CLOCK_TIME_NONE; }

// A system clock on CLOCK_MONOTONIC: g_object_set is variadic.
static inline GstClock *strata_monotonic_clock(void) {
    return (GstClock *)g_object_new(GST_TYPE_SYSTEM_CLOCK, "name", "monotonic", "clock-type", GST_CLOCK_TYPE_MONOTONIC, NULL);
}

// The running time of a buffer's presentation time on a pad; none outside the segment.
static inline GstClockTime strata_running_time(GstPad *pad, GstClockTime time) {
    GstEvent *event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
    if (event == NULL) return GST_CLOCK_TIME_NONE;
    const GstSegment *segment = NULL;
    gst_event_parse_segment(event, &segment);
    GstClockTime running = gst_segment_to_running_time(segment, GST_FORMAT_TIME, time);
    gst_event_unref(event);
    return running;
}

// gst_message_new_application with an empty structure: gst_structure_new is variadic.
static inline GstMessage *strata_wake_message(GstElement *source) {
    return gst_message_new_application((GstObject *)source, gst_structure_new_empty("strata-wake"));
}

// What asks an encoder for a key frame with its next picture, as gst_video_event_new_upstream_force_key_unit of another library makes it:
// gst_structure_new is variadic.
static inline GstEvent *strata_key_frame_event(void) {
    return gst_event_new_custom(
        GST_EVENT_CUSTOM_UPSTREAM,
        gst_structure_new(
            "GstForceKeyUnit", "running-time", GST_TYPE_CLOCK_TIME, GST_CLOCK_TIME_NONE, "all-headers", G_TYPE_BOOLEAN, TRUE, "count",
            G_TYPE_UINT, 0, NULL));
}

// Whether somebody behind a pad asks for a key frame by the event that passes it, as gst_video_event_is_force_key_unit of another library says it.
static inline int strata_probe_wants_key_frame(GstPadProbeInfo *info) {
    if (!(info->type & GST_PAD_PROBE_TYPE_EVENT_UPSTREAM)) return 0;
    return gst_event_has_name(GST_PAD_PROBE_INFO_EVENT(info), "GstForceKeyUnit");
}

// webrtcbin's GstWebRTCSessionDescription (<gst/webrtc/rtcsessiondescription.h>, part of the ABI since 1.14); type is a GstWebRTCSDPType: 1 an
// offer, 3 an answer. Written out here since the header's package brings libopencv-dev with it, and all that is asked of it are these two.
struct strata_session_description {
    int type;
    GstSDPMessage *message;
};

// Waits for what a webrtcbin was asked. 0 where it refuses.
static inline int strata_await(GstPromise *promise) {
    if (gst_promise_wait(promise) != GST_PROMISE_RESULT_REPLIED) return 0;
    const GstStructure *reply = gst_promise_get_reply(promise);
    return reply == NULL || !gst_structure_has_field(reply, "error");
}

// Makes the offer of a webrtcbin, and has it take that as its own description: its threads answer. The text is for g_free; NULL where it refuses.
static inline char *strata_make_offer(GstElement *peer) {
    GstPromise *asked = gst_promise_new(), *taken = gst_promise_new();
    char *text = NULL;
    g_signal_emit_by_name(peer, "create-offer", NULL, asked);
    if (strata_await(asked)) {
        const GstStructure *reply = gst_promise_get_reply(asked);
        const GValue *value = reply != NULL ? gst_structure_get_value(reply, "offer") : NULL;
        struct strata_session_description *offer =
            value != NULL && G_VALUE_HOLDS_BOXED(value) ? (struct strata_session_description *)g_value_get_boxed(value) : NULL;
        if (offer != NULL) {
            g_signal_emit_by_name(peer, "set-local-description", offer, taken);
            if (strata_await(taken)) text = gst_sdp_message_as_text(offer->message);
        }
    }
    gst_promise_unref(taken);
    gst_promise_unref(asked);
    return text;
}

// Has a webrtcbin take the answer to its offer. 0 where that is none, or does not fit.
static inline int strata_take_answer(GstElement *peer, const char *text) {
    struct strata_session_description answer = {3, NULL};
    int done = 0;
    if (gst_sdp_message_new(&answer.message) != GST_SDP_OK) return 0;
    if (gst_sdp_message_parse_buffer((const guint8 *)text, (guint)strlen(text), answer.message) == GST_SDP_OK) {
        GstPromise *taken = gst_promise_new();
        g_signal_emit_by_name(peer, "set-remote-description", &answer, taken);
        done = strata_await(taken);
        gst_promise_unref(taken);
    }
    gst_sdp_message_free(answer.message);
    return done;
}

// Has a webrtcbin try a path; `candidate` is an attribute's value, of the section with this index.
static inline void strata_add_candidate(GstElement *peer, guint section, const char *candidate) {
    g_signal_emit_by_name(peer, "add-ice-candidate", section, candidate);
}

// Has one of a webrtcbin's sections send and not receive. 0 where there is no such section.
static inline int strata_send_only(GstElement *peer, int section) {
    GObject *transceiver = NULL;
    g_signal_emit_by_name(peer, "get-transceiver", section, &transceiver);
    if (transceiver == NULL) return 0;
    gst_util_set_object_arg(transceiver, "direction", "sendonly");
    g_object_unref(transceiver);
    return 1;
}

// Has the agent of a webrtcbin leave routers alone: by itself it asks each network for one that opens ports by UPnP. 0 where it has no such
// setting.
static inline int strata_leave_routers(GstElement *peer) {
    GObject *ice = NULL, *agent = NULL;
    g_object_get(peer, "ice-agent", &ice, NULL);
    if (ice == NULL) return 0;
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(ice), "agent") != NULL) g_object_get(ice, "agent", &agent, NULL);
    g_object_unref(ice);
    if (agent == NULL) return 0;
    int known = g_object_class_find_property(G_OBJECT_GET_CLASS(agent), "upnp") != NULL;
    if (known) g_object_set(agent, "upnp", FALSE, NULL);
    g_object_unref(agent);
    return known;
}

static inline gboolean strata_value_holds_structure(const GValue *value) { return GST_VALUE_HOLDS_STRUCTURE(value); }
static inline GType strata_value_type(const GValue *value) { return G_VALUE_TYPE(value); }

#endif
