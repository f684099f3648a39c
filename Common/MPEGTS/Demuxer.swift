import Units

/// Takes a transport stream apart into pictures and sound: the first program, its first H.264 or H.265 and its first AAC stream.
///
/// What a loss does: sound is passed on as far as it is whole; a picture with a hole is passed on and marked, because a
/// decoder conceals it better than a missing one. Memory is bounded: one picture (4 MiB), one PES packet of sound, two sections.
package struct Demuxer: Sendable {
    package enum Event: Sendable, Hashable {
        /// The tables name a program, or another one than before.
        case program(Program)
        case video(VideoUnit)
        case audio(AudioUnit)
    }

    package private(set) var program: Program?
    /// The last packets that carried the association and the map: what a reader who begins in the middle needs first.
    package private(set) var tables: [UInt8] = []

    private var association = SectionAssembler()
    private var map = SectionAssembler()
    private var mapPID: UInt16?
    private var associationPacket: [UInt8] = []
    private var video: PESAssembler?
    private var audio: PESAssembler?
    private var coding = VideoCoding.h264
    private var parameters = ParameterSets()
    private var frames = ADTSFrames()
    private var lastTime: Int64?
    private var earlierErrors = 0

    package init() {}

    /// Packets that were missing or damaged in the pictures and the sound, at least.
    package var continuityErrors: Int { earlierErrors + (video?.errors ?? 0) + (audio?.errors ?? 0) }

    /// - Parameters:
    ///   - packet: read from `bytes`.
    ///   - take: called with what ended before this packet, in order.
    package mutating func feed(_ packet: Packet, _ bytes: [UInt8], _ take: (Event) -> Void) {
        switch packet.pid {
        case 0: feedAssociation(packet, bytes)
        case video?.pid:
            if let ended = video?.feed(packet, bytes) { emitVideo(ended, take) }
        case audio?.pid:
            if let ended = audio?.feed(packet, bytes) { emitAudio(ended, take) }
        case mapPID: feedMap(packet, bytes, take)
        default: break
        }
    }

    /// Whether a picture begins with this packet.
    package func beginsPicture(_ packet: Packet) -> Bool { packet.startsUnit && packet.pid == video?.pid }

    /// The sender began anew: what is being assembled will not become whole.
    package mutating func noteDiscontinuity() {
        video?.lose()
        audio?.lose()
    }

    /// Ends what is being assembled: at the end of the stream. Half a picture is none.
    package mutating func finish(_ take: (Event) -> Void) {
        if let ended = video?.finishIfWhole() { emitVideo(ended, take) }
        if let ended = audio?.finish() { emitAudio(ended, take) }
    }

    /// The source has fallen silent, and another one is to take its place: sound that is whole is given out. The last picture
    /// is dropped: no next one of its own follows.
    package mutating func leave(_ take: (Event) -> Void) {
        _ = video?.finishIfWhole()
        if let ended = audio?.finishIfWhole() { emitAudio(ended, take) }
        frames.lose()
    }

    private mutating func feedAssociation(_ packet: Packet, _ bytes: [UInt8]) {
        for section in association.feed(packet, bytes) {
            guard let pid = ProgramTables.mapPID(section) else { continue }
            associationPacket = Array(bytes[packet.start..<packet.end])
            if pid != mapPID { map = SectionAssembler() }
            mapPID = pid
        }
    }

    private mutating func feedMap(_ packet: Packet, _ bytes: [UInt8], _ take: (Event) -> Void) {
        for section in map.feed(packet, bytes) {
            guard let named = ProgramTables.program(section, tablePID: packet.pid) else { continue }
            tables = associationPacket + bytes[packet.start..<packet.end]
            // Compared by content: a sender that began anew may use the version number of another table.
            guard named != program else { continue }
            finish(take)
            adopt(named)
            take(.program(named))
        }
    }

    private mutating func adopt(_ named: Program) {
        if named.video != program?.video {
            earlierErrors += video?.errors ?? 0
            video = named.video.map { PESAssembler(pid: $0.pid, cutsAtLoss: false) }
            coding = named.video?.coding == .h265 ? .h265 : .h264
            parameters = ParameterSets()
        }
        if named.audio != program?.audio {
            earlierErrors += audio?.errors ?? 0
            audio = named.audio.map { PESAssembler(pid: $0.pid, cutsAtLoss: true) }
            frames = ADTSFrames()
        }
        program = named
    }

    private mutating func emitVideo(_ packet: PESAssembler.Packet, _ take: (Event) -> Void) {
        let units = NALUnits.ranges(packet.bytes)
        let contents = parameters.read(packet.bytes, units, coding)
        guard contents.hasPicture else { return }
        let decode = unwrap(packet.decode)
        let isRecoveryPoint = packet.isRandomAccess && contents.hasParameters
        take(
            .video(
                VideoUnit(
                    bytes: packet.bytes, units: units,
                    presentation: MediaTime(ticks: Timestamp.unwrap(packet.presentation, near: decode)), decode: MediaTime(ticks: decode),
                    isKey: contents.hasKeySlice || isRecoveryPoint, isDamaged: packet.isDamaged, format: parameters.format)))
    }

    private mutating func emitAudio(_ packet: PESAssembler.Packet, _ take: (Event) -> Void) {
        let time = MediaTime(ticks: unwrap(packet.presentation))
        for unit in frames.take(packet.bytes, at: time, isWhole: !packet.isDamaged) { take(.audio(unit)) }
    }

    private mutating func unwrap(_ value: Int64) -> Int64 {
        let time = lastTime.map { Timestamp.unwrap(value, near: $0) } ?? value
        lastTime = time
        return time
    }
}
