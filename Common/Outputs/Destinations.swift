import GStreamer
import Posix
import Units
import Wire

/// Builds the pipeline of each kind of destination: constant text, every value a property (THREATS 6).
enum Destinations {
    /// A server that confirms nothing for this long is given up. The kernel asks again after 0.2 s and then twice as long each time
    /// (3.0 s and 6.2 s after the cut, later over a long way): with less than 8 s a cut of 4 s would not be bridged any more.
    static let silenceLimit: Duration = .seconds(8)

    /// - Parameters:
    ///   - folder: where files go; nil where none is configured.
    ///   - rooms: the way into them; nil where there is none.
    static func open(
        _ target: OutputSpec.Target, folder: RecordingFolder?, rooms: RoomEntrance?, on loop: Loop
    ) throws(OutputFault) -> SinkSession {
        do {
            switch target {
            case .rtmp(let rtmp): return try openRTMP(rtmp)
            case .srt(let srt): return try openSRT(srt)
            case .file(let file): return try openFile(file, folder)
            case .room(let room): return try openRoom(room, rooms, loop)
            }
        } catch let fault as OutputFault {
            throw fault
        } catch {
            throw .lost("\(error)")
        }
    }

    private static func openRTMP(_ target: RTMPTarget) throws -> SinkSession {
        guard SocketAddress(target.address, port: target.port) != nil else {
            throw OutputFault.hopeless("the address of \(target.host) is none: \(target.address)")
        }
        let host = PinnedResolver.pin(target.host, to: target.address)
        SilenceLimit.set(silenceLimit)
        let pipeline = try Pipeline(
            """
            appsrc name=source format=time is-live=true max-bytes=0 ! \
            rtmp2sink name=sink sync=false async=false enable-last-sample=false chunk-size=4096 timeout=5
            """)
        try pipeline.set("sink", "scheme", .choice(target.tls ? "rtmps" : "rtmp"))
        try pipeline.set("sink", "host", .text(host))
        try pipeline.set("sink", "port", .count(target.port))
        try pipeline.set("sink", "application", .text(target.application))
        try pipeline.set("sink", "stream", .text(target.streamKey.secret.revealed))
        return try SinkSession(.rtmp, pipeline)
    }

    /// Never let go of: with the last of its elements libsrt is torn down, and 1.5.1 then races with threads of its own
    /// (github.com/Haivision/srt/pull/2173), which would cost the stream whose output was taken away.
    private static let libsrt = Result { try Pipeline("appsrc ! srtsink") }

    private static func openSRT(_ target: SRTTarget) throws -> SinkSession {
        _ = try libsrt.get()
        guard let address = SocketAddress(target.address, port: target.port) else {
            throw OutputFault.hopeless("not an address and port: \(target.address) \(target.port)")
        }
        let passphrase = target.passphrase?.secret.revealed
        // libsrt takes 10 to 79 characters; shorter ones it refuses only when it connects.
        if let passphrase, !(10...79).contains(passphrase.utf8.count) {
            throw OutputFault.hopeless("an SRT passphrase has 10 to 79 characters")
        }
        if target.mode == .listener, passphrase == nil {
            throw OutputFault.hopeless("an SRT listener needs a passphrase")
        }
        let pipeline = try Pipeline(
            """
            appsrc name=source format=time is-live=true max-bytes=0 ! \
            srtsink name=sink sync=false async=false enable-last-sample=false auto-reconnect=false
            """)
        try pipeline.set("sink", "mode", .choice(target.mode == .caller ? "caller" : "listener"))
        try pipeline.set("sink", "uri", .text(uri(address, target.mode)))
        if target.mode == .listener {
            try pipeline.set("sink", "localaddress", .text(address.host))
            try pipeline.set("sink", "localport", .count(target.port))
        }
        // A caller that does not wait throws away what comes before its handshake is over: the first key frame. A listener that
        // waits would greet its first caller with what was queued long ago.
        try pipeline.set("sink", "wait-for-connection", .flag(target.mode == .caller))
        try pipeline.set("sink", "latency", .count(target.latencyMs))
        if let passphrase {
            try pipeline.set("sink", "passphrase", .text(passphrase))
            try pipeline.set("sink", "pbkeylen", .choice("16"))
        }
        if let streamID = target.streamID { try pipeline.set("sink", "streamid", .text(streamID)) }
        return try SinkSession(target.mode == .caller ? .srtCaller : .srtListener, pipeline)
    }

    /// Made from a parsed address and a number; nothing of it can be a parameter.
    private static func uri(_ address: SocketAddress, _ mode: SRTTarget.Mode) -> String {
        let host = address.family == .ipv6 ? "[\(address.host)]" : address.host
        return "srt://\(host):\(address.port)?mode=\(mode == .caller ? "caller" : "listener")"
    }

    private static func openFile(_ target: FileTarget, _ folder: RecordingFolder?) throws -> SinkSession {
        guard let folder else { throw OutputFault.hopeless("this host has no folder for recordings") }
        let descriptor = try folder.create(target.name)
        let pipeline = try Pipeline(
            """
            appsrc name=source format=time is-live=true max-bytes=0 ! \
            fdsink name=sink sync=false async=false enable-last-sample=false
            """)
        try pipeline.set("sink", "fd", .count(Int(descriptor.raw)))
        return try SinkSession(.file, pipeline, keeping: descriptor)
    }

    private static func openRoom(_ target: RoomTarget, _ rooms: RoomEntrance?, _ loop: Loop) throws -> SinkSession {
        guard let rooms else { throw OutputFault.hopeless("this host has no way into rooms") }
        let (process, media) = try FieldProcess.start(target, by: rooms, on: loop)
        let descriptor = Descriptor(adopting: media)
        do {
            let pipeline = try Pipeline(
                """
                appsrc name=source format=time is-live=true max-bytes=0 ! \
                fdsink name=sink sync=false async=false enable-last-sample=false
                """)
            try pipeline.set("sink", "fd", .count(Int(media)))
            return try SinkSession(.room, pipeline, keeping: descriptor, field: process)
        } catch {
            process.kill()
            throw error
        }
    }
}
