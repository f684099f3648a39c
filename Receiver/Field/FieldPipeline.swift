import GStreamer
import MPEGTS
import Posix
import Units

/// From pictures and sound to a PeerConnection: pictures are only put into other packets, sound becomes Opus.
struct FieldPipeline: Sendable {
    let pipeline: Pipeline
    let hasSound: Bool
    private let pictures: AppSource
    private let sound: AppSource?
    private let began: Instant

    private static let elements = [
        "appsrc", "queue", "rtph264pay", "rtpbin", "nicesink", "dtlssrtpenc", "srtpenc", "webrtcbin", "aacparse", "avdec_aac",
        "audioconvert", "audioresample", "opusenc", "rtpopuspay",
    ]

    /// Once in a process, at its start: nothing else can be loaded from then on.
    ///
    /// - Throws: which of its elements is not installed.
    static func prepare() throws(FieldFault) {
        do {
            try GStreamerRuntime.start()
            if let missing = elements.first(where: { !GStreamerRuntime.hasElement($0) }) {
                throw FieldFault.hopeless("this host cannot send into rooms: GStreamer's \(missing) is not installed there")
            }
            try GStreamerRuntime.keepOnly(plugins: elements)
        } catch let fault as FieldFault {
            throw fault
        } catch {
            throw .hopeless("\(error)")
        }
    }

    /// - Parameter wantsKeyFrame: somebody in the room cannot go on without one; called on any thread.
    init(hasSound: Bool, wantsKeyFrame: @escaping @Sendable () -> Void) throws(GStreamerError) {
        var text: PipelineText = """
            webrtcbin name=peer bundle-policy=max-bundle \
            appsrc name=pictures format=time is-live=true max-bytes=0 ! \
            rtph264pay name=picturepay pt=96 mtu=1200 config-interval=-1 aggregate-mode=zero-latency ! \
            application/x-rtp,media=video,encoding-name=H264,payload=96 ! peer.
            """
        if hasSound {
            text += """
                appsrc name=sound format=time is-live=true max-bytes=0 ! aacparse ! avdec_aac ! audioconvert ! audioresample ! \
                audio/x-raw,rate=48000,channels=2 ! opusenc bitrate=96000 ! rtpopuspay name=soundpay pt=97 ! \
                application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! peer.
                """
        }
        let pipeline = try Pipeline(text)
        self.pipeline = pipeline
        self.hasSound = hasSound
        began = .now
        pipeline.fixBaseTime(began)
        try pipeline.leaveRouters(by: "peer")
        pictures = try pipeline.appSource("pictures")
        pictures.setCaps(Caps("video/x-h264", ["stream-format": .text("byte-stream"), "alignment": .text("au")]))
        sound = try hasSound ? pipeline.appSource("sound") : nil
        try pipeline.onKeyFrameWanted("pictures", pad: "src", wantsKeyFrame)
    }

    /// Nanoseconds.
    var runningTime: Int64 { Instant.now.nanoseconds - began.nanoseconds }

    /// Of pictures and sound that were pushed and that nothing has taken on yet.
    var queuedBytes: Int { pictures.queuedBytes + (sound?.queuedBytes ?? 0) }

    /// - Parameter time: as `FieldClock` has it.
    func push(_ unit: VideoUnit, at time: Int64) {
        var bytes: [UInt8] = []
        // Whoever begins here has them; the payloader takes them from the pictures.
        if unit.isKey, !unit.hasParameters { for set in unit.format?.parameterSets ?? [] { bytes += [0, 0, 0, 1] + set } }
        pictures.push(bytes + unit.bytes, AppSource.Stamp(pts: time, isKeyFrame: unit.isKey, isDiscontinuity: unit.isDamaged))
    }

    func push(_ unit: AudioUnit, at time: Int64) {
        sound?.push(unit.format.header(length: unit.bytes.count) + unit.bytes, AppSource.Stamp(pts: time))
    }

    /// Before the first sound, and where it is another kind.
    func prepare(for format: AudioFormat) {
        sound?.setCaps(
            Caps(
                "audio/mpeg",
                [
                    "mpegversion": .integer(4), "stream-format": .text("adts"), "framed": .flag(true),
                    "rate": .integer(Int64(format.sampleRate)), "channels": .integer(Int64(format.channels)),
                ]))
    }

    /// An offer says what is sent: which is known once some of it has come through. Sound that does not come is offered all the same.
    func isKnown() throws(GStreamerError) -> Bool {
        guard try pipeline.hasCaps("picturepay", pad: "src") else { return false }
        return try hasSound ? pipeline.hasCaps("soundpay", pad: "src") : true
    }
}
