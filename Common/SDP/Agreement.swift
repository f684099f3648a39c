import RTP

/// What of a remote section's codecs and extensions we have as well.
struct Agreement {
    var agreed: [AgreedCodec] = []
    /// As they go into our answer, retransmissions behind each.
    var codecs: [MediaCodec] = []
    var extensions = ExtensionMap()
    /// As they go into our answer.
    var lines: [MediaExtension] = []

    /// - Parameters:
    ///   - wanted: in the order of preference.
    ///   - shared: what ids mean on the whole transport (RFC 9143 section 9.2): another meaning here is not agreed.
    init(_ remote: MediaSection, _ wanted: [RoomCodec], _ kinds: [HeaderExtension], _ shared: inout ExtensionMap) {
        for codec in wanted {
            // Of two offers of one codec the first is enough: the other end prefers it.
            guard let offered = remote.codecs.first(where: { RoomCodec($0) == codec }) else { continue }
            let repair = Self.retransmission(of: offered, in: remote)
            let feedback = FeedbackKinds(remote.feedback(offered)).intersection(.known(codec.kind))
            agreed.append(
                AgreedCodec(
                    codec: codec, payloadType: offered.payloadType, retransmissionType: repair?.payloadType, feedback: feedback))
            codecs.append(Self.answer(offered, codec, feedback))
            if let repair { codecs.append(Self.answer(repair)) }
        }
        for item in remote.extensions {
            // What is offered with an id over 255 has none yet.
            guard let kind = HeaderExtension(uri: item.uri), kinds.contains(kind), extensions[kind] == nil else { continue }
            // A longer name than packets have.
            if kind == .mid, remote.label == nil { continue }
            guard shared[kind] == nil || shared[kind] == UInt8(exactly: item.id), shared.set(kind, item.id) else { continue }
            guard extensions.set(kind, item.id) else { continue }
            lines.append(MediaExtension(id: item.id, direction: item.direction?.reversed, uri: item.uri))
        }
    }

    /// RFC 4588 section 8.6: `apt` names the payload type that is sent again.
    static func retransmission(of codec: MediaCodec, in section: MediaSection) -> MediaCodec? {
        section.codecs.first { $0.isNamed("rtx") && $0.clockRate == codec.clockRate && $0["apt"] == "\(codec.payloadType)" }
    }

    /// With the parameters that both ends have to agree on as they were offered, and those of a receiver as we want them.
    private static func answer(_ offered: MediaCodec, _ codec: RoomCodec, _ feedback: FeedbackKinds) -> MediaCodec {
        var answer = offered
        answer.feedback = feedback.texts
        if codec == .opus {
            answer.parameters = codec.parameters
            // Stereo is asked for where the sender says that it has it (RFC 7587 section 6.1).
            if offered["stereo"] == "1" || offered["sprop-stereo"] == "1" { answer.parameters.append(.init("stereo", "1")) }
        } else {
            let known = Set(codec.parameters.map(\.name)).union(["max-fr", "max-fs"])
            answer.parameters = offered.parameters.filter { known.contains($0.name.lowercased()) }
        }
        return answer
    }

    private static func answer(_ repair: MediaCodec) -> MediaCodec {
        var answer = repair
        answer.feedback = []
        answer.parameters = repair.parameters.filter { $0.name.lowercased() == "apt" }
        return answer
    }

    /// Of a medium's sections, by what we do there.
    static func kinds(_ kind: MediaSection.Kind, isReceiving: Bool) -> [HeaderExtension] {
        switch (kind, isReceiving) {
        case (.audio, _): [.mid, .audioLevel, .sendTime, .transportSequence]
        case (.video, true): [.mid, .rid, .repairedRID, .sendTime, .transportSequence, .playoutDelay]
        case (.video, false): [.mid, .sendTime, .transportSequence, .playoutDelay]
        default: []
        }
    }
}
