import GStreamer
import Units
import Wire

// Every pipeline of the agent, as text. Names after `name=` are what the code sets values on and listens at; `picture` and
// `sound` are caps filters that get the broadcast's size, rate and format, so that each source ends in the same raw media:
//
//   source pipeline:   device or file ! convert ! picture ! appsink video      (and the same for sound)
//   encode pipeline:   appsrc video ! encoder ! parser ! mux ! appsink out     (and the same for sound)
//
// A source can go and another come while the encode pipeline runs on.

/// Sources of picture and sound.
enum SourceText {
    private static let videoOut: PipelineText = "capsfilter name=picture ! appsink name=video max-buffers=4"
    private static let audioOut: PipelineText = "capsfilter name=sound ! appsink name=audio max-buffers=64"
    private static let convertVideo: PipelineText = "videoconvert ! videoscale add-borders=true ! videorate name=rate !"
    private static let convertAudio: PipelineText = "audioconvert ! audioresample !"

    /// `draw` is where the flash, the moving bar and the frame number are painted; the beep is 100 ms of 1 kHz at each full second.
    static let testPicture: PipelineText =
        "videotestsrc is-live=true pattern=smpte ! capsfilter name=picture ! identity name=draw ! appsink name=video async=false sync=false"
    static let testSound: PipelineText =
        """
        audiotestsrc is-live=true wave=ticks freq=1000 tick-interval=1000000000 sine-periods-per-tick=100 samplesperbuffer=1024 ! \
        capsfilter name=sound ! appsink name=audio async=false sync=false
        """

    static let rawCamera: PipelineText =
        "v4l2src name=camera ! capsfilter name=mode !" + convertVideo + videoOut + " sync=false async=false"
    static let jpegCamera: PipelineText =
        "v4l2src name=camera ! capsfilter name=mode ! jpegdec !" + convertVideo + videoOut + " sync=false async=false"
    /// ALSA's own clock drifts against ours; `skew` moves the timestamps and never stretches the sound.
    static let microphone: PipelineText =
        "alsasrc name=microphone provide-clock=false slave-method=skew buffer-time=200000 latency-time=20000 !" + convertAudio + audioOut
        + " sync=false async=false"

    /// Of a file: only these codecs are decoded, whatever else the container claims (THREATS 8).
    static let fileVideo: PipelineText =
        """
        demux. ! capsfilter name=videotrack caps="video/x-h264;video/x-h265;video/mpeg,mpegversion={(int)2,(int)4};video/x-vp8;video/x-vp9" ! \
        queue max-size-bytes=0 max-size-buffers=0 max-size-time=2000000000 ! decodebin !
        """
        + convertVideo + videoOut + " sync=true"
    static let fileAudio: PipelineText =
        """
        demux. ! capsfilter name=audiotrack caps="audio/mpeg;audio/x-opus;audio/x-vorbis;audio/x-raw;audio/x-ac3" ! \
        queue max-size-bytes=0 max-size-buffers=0 max-size-time=2000000000 ! decodebin !
        """
        + convertAudio + audioOut + " sync=true"

    // One picture of an input that nobody sends (`InputStill`), as JPEG.
    private static let stillOut: PipelineText =
        "videoconvert ! videoscale add-borders=true ! capsfilter name=picture ! jpegenc name=encoder ! appsink name=video max-buffers=1 sync=false async=false"
    static let testStill: PipelineText = "videotestsrc is-live=true pattern=smpte !" + stillOut
    static let rawCameraStill: PipelineText = "v4l2src name=camera ! capsfilter name=mode !" + stillOut
    static let jpegCameraStill: PipelineText = "v4l2src name=camera ! capsfilter name=mode ! jpegdec !" + stillOut
    static let fileStill: PipelineText =
        """
        demux. ! capsfilter name=videotrack caps="video/x-h264;video/x-h265;video/mpeg,mpegversion={(int)2,(int)4};video/x-vp8;video/x-vp9" ! \
        queue max-size-bytes=0 max-size-buffers=0 max-size-time=2000000000 ! decodebin !
        """
        + stillOut

    /// To be followed by the parts that are wanted.
    static let mp4: PipelineText = "filesrc name=file ! qtdemux name=demux"
    static let matroska: PipelineText = "filesrc name=file ! matroskademux name=demux"
    static let transportStream: PipelineText = "filesrc name=file ! tsdemux name=demux"

    static let mp3: PipelineText = "filesrc name=file ! mpegaudioparse ! decodebin !" + convertAudio + audioOut + " sync=true"
    static let wave: PipelineText = "filesrc name=file ! wavparse !" + convertAudio + audioOut + " sync=true"
}

/// From raw media to the transport stream.
enum EncodeText {
    /// One program; PAT and PMT every 100 ms and PCR every 36 ms (ISO/IEC 13818-1 wants 100 ms), 7 packets a buffer.
    private static let mux: PipelineText =
        """
        mpegtsmux name=mux alignment=7 pat-interval=9000 pmt-interval=9000 pcr-interval=3240 si-interval=90000 ! \
        appsink name=out sync=false async=false buffer-list=true
        """
    private static let videoIn: PipelineText = "appsrc name=video format=time max-bytes=0 !"
    /// What is sent is measured, silence that fills a gap too: five times a second, as a message.
    private static let audioIn: PipelineText =
        "appsrc name=audio format=time max-bytes=0 ! level name=level interval=200000000 post-messages=true ! audioconvert !"
    private static let audioParse: PipelineText = "aacparse name=audioparse ! audio/mpeg,mpegversion=4,stream-format=raw ! mux."
    /// Parameter sets before each key frame, so that a receiver can begin at any of them.
    private static let parseH264: PipelineText =
        "h264parse name=videoparse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! mux."
    private static let parseH265: PipelineText =
        "h265parse name=videoparse config-interval=-1 ! video/x-h265,stream-format=byte-stream,alignment=au ! mux."

    /// - Parameter encoder: nil where the camera encodes H.264 itself.
    static func text(_ encoder: EncoderID?, audio: AudioEncoder) -> PipelineText {
        mux + videoIn + video(encoder) + audioIn + self.audio(audio) + audioParse
    }

    private static func audio(_ encoder: AudioEncoder) -> PipelineText {
        switch encoder {
        case .libav: "avenc_aac name=audioencoder !"
        case .voaac: "voaacenc name=audioencoder !"
        }
    }

    /// No B-frames, no look-ahead, no key frames but the regular ones; bit rate, GOP and VBV are set as properties.
    private static func video(_ encoder: EncoderID?) -> PipelineText {
        switch encoder {
        case nil: parseH264
        case .x264, .automatic:
            """
            x264enc name=encoder pass=cbr speed-preset=superfast bframes=0 b-adapt=false rc-lookahead=0 sync-lookahead=0 mb-tree=false \
            sliced-threads=false byte-stream=true aud=true option-string="scenecut=0:open-gop=0" ! video/x-h264,profile=high !
            """ + parseH264
        case .openh264:
            """
            openh264enc name=encoder rate-control=bitrate complexity=low usage-type=camera enable-frame-skip=false scene-change-detection=false ! \
            video/x-h264,profile=main !
            """ + parseH264
        case .vah264:
            "videoconvert ! vah264enc name=encoder rate-control=cbr b-frames=0 aud=true ! video/x-h264,profile=main !" + parseH264
        case .v4l2h264: "videoconvert ! v4l2h264enc name=encoder ! video/x-h264,profile=main,level=(string)4 !" + parseH264
        case .v4l2h265: "videoconvert ! v4l2h265enc name=encoder !" + parseH265
        case .x265: "x265enc name=encoder speed-preset=ultrafast tune=zerolatency ! video/x-h265,profile=main !" + parseH265
        }
    }
}

/// What turns sound into AAC.
enum AudioEncoder: Sendable, CaseIterable {
    case libav, voaac

    var element: String {
        switch self {
        case .libav: "avenc_aac"
        case .voaac: "voaacenc"
        }
    }
}
