package import Units

/// One stream on a pool host: what a receiver is started with, and what it answers when a new parent adopts it.
package struct StreamSpec: Codable, Sendable, Hashable {
    package var lease: LeaseID
    package var broadcast: BroadcastID
    package var carrier: Carrier
    package var streamKey: SecretOnWire
    package var bufferMs: Int
    package var outputs: [OutputSpec]
    /// What the organisation wants shown while the sender is silent; nil: the receiver's own picture.
    package var slate: SlateFile?
    /// nil: nothing is recorded.
    package var recording: RecordingSpec?

    package init(
        lease: LeaseID, broadcast: BroadcastID, carrier: Carrier, streamKey: SecretOnWire, bufferMs: Int, outputs: [OutputSpec],
        slate: SlateFile? = nil, recording: RecordingSpec? = nil
    ) {
        self.lease = lease
        self.broadcast = broadcast
        self.carrier = carrier
        self.streamKey = streamKey
        self.bufferMs = bufferMs
        self.outputs = outputs
        self.slate = slate
        self.recording = recording
    }
}

/// A picture as a file: PNG or JPEG, at most `WireLimits.slateBytes`.
package struct SlateFile: Codable, Sendable, Hashable {
    package var kind: Kind
    package var base64: String

    package enum Kind: String, Codable, Sendable, CaseIterable { case png, jpeg }

    package init(kind: Kind, base64: String) {
        self.kind = kind
        self.base64 = base64
    }
}

/// A lease that was written down before there was a choice is one of stock RIST.
extension StreamSpec {
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        lease = try values.decode(LeaseID.self, forKey: .lease)
        broadcast = try values.decode(BroadcastID.self, forKey: .broadcast)
        carrier = try values.decodeIfPresent(Carrier.self, forKey: .carrier) ?? .rist
        streamKey = try values.decode(SecretOnWire.self, forKey: .streamKey)
        bufferMs = try values.decode(Int.self, forKey: .bufferMs)
        outputs = try values.decode([OutputSpec].self, forKey: .outputs)
        slate = try values.decodeIfPresent(SlateFile.self, forKey: .slate)
        recording = try values.decodeIfPresent(RecordingSpec.self, forKey: .recording)
    }
}

/// Where a stream goes. The fields are validated and the address is resolved and guarded by control; a receiver builds
/// no URL from text it has not taken apart.
package struct OutputSpec: Codable, Sendable, Hashable {
    package var id: OutputID
    package var target: Target

    package enum Target: Codable, Sendable, Hashable {
        case rtmp(RTMPTarget)
        case srt(SRTTarget)
        case file(FileTarget)
        case room(RoomTarget)
    }

    package init(id: OutputID, target: Target) {
        self.id = id
        self.target = target
    }
}

package struct RTMPTarget: Codable, Sendable, Hashable {
    package var tls: Bool
    package var host: String
    package var port: Int
    /// `live` or `app/instance`, without slashes at its ends.
    package var application: String
    package var streamKey: SecretOnWire
    /// The address that passed the outbound guard; the receiver connects to it and to nothing else.
    package var address: String

    package init(tls: Bool, host: String, port: Int, application: String, streamKey: SecretOnWire, address: String) {
        self.tls = tls
        self.host = host
        self.port = port
        self.application = application
        self.streamKey = streamKey
        self.address = address
    }
}

package struct SRTTarget: Codable, Sendable, Hashable {
    package var mode: Mode
    /// The peer for a caller; the address to listen on for a listener.
    package var address: String
    package var port: Int
    package var passphrase: SecretOnWire?
    package var streamID: String?
    package var latencyMs: Int

    package enum Mode: String, Codable, Sendable { case caller, listener }

    package init(mode: Mode, address: String, port: Int, passphrase: SecretOnWire?, streamID: String?, latencyMs: Int) {
        self.mode = mode
        self.address = address
        self.port = port
        self.passphrase = passphrase
        self.streamID = streamID
        self.latencyMs = latencyMs
    }
}

/// What a listener takes from every other one of its host. Whoever compares two of them decides by the same rule, on both sides.
package struct ListenerPlace: Codable, Sendable, Hashable {
    package var address: String
    package var port: Int

    package init(address: String, port: Int) {
        self.address = address
        self.port = port
    }

    /// Both cannot listen: the same port, of the same address or of all of them.
    package func excludes(_ other: ListenerPlace) -> Bool {
        let anywhere = ["0.0.0.0", "::"]
        return port == other.port && (address == other.address || anywhere.contains(address) || anywhere.contains(other.address))
    }
}

extension SRTTarget {
    /// nil for a caller, which takes no port that anybody asks for.
    package var listenerPlace: ListenerPlace? { mode == .listener ? ListenerPlace(address: address, port: port) : nil }
}

/// A file in the host's recordings folder: a name, never a path.
package struct FileTarget: Codable, Sendable, Hashable {
    package var name: String
    package init(name: String) { self.name = name }
}

/// A room of control's, which the stream joins as a participant (WHIP). It names no address: a host goes to the control that it belongs to, and
/// nowhere else, whoever asks for what.
package struct RoomTarget: Codable, Sendable, Hashable {
    package var room: RoomID
    /// Lets this output in for as long as its broadcast has it.
    package var pass: SecretOnWire

    package init(room: RoomID, pass: SecretOnWire) {
        self.room = room
        self.pass = pass
    }
}

/// A stream as its receiver sees it.
package struct StreamReport: Codable, Sendable, Hashable {
    package var lease: LeaseID
    package var broadcast: BroadcastID
    package var port: Int
    package var pid: Int?
    package var uptimeSeconds: Int
    package var ingest: IngestReport
    package var outputs: [OutputReport]
    /// How often the receiver was started again.
    package var restarts: Int
    /// Why the picture that the organisation wants is not what is shown while the sender is silent, for a person; nil where it is. It goes
    /// when that is mended: what failed is tried again.
    package var slateFault: String?
    /// nil where nothing is recorded.
    package var recording: RecordingReport?

    package init(
        lease: LeaseID, broadcast: BroadcastID, port: Int, pid: Int?, uptimeSeconds: Int, ingest: IngestReport, outputs: [OutputReport],
        restarts: Int, slateFault: String? = nil, recording: RecordingReport? = nil
    ) {
        self.lease = lease
        self.broadcast = broadcast
        self.port = port
        self.pid = pid
        self.uptimeSeconds = uptimeSeconds
        self.ingest = ingest
        self.outputs = outputs
        self.restarts = restarts
        self.slateFault = slateFault
        self.recording = recording
    }
}

package struct IngestReport: Codable, Sendable, Hashable {
    package var state: State
    /// In the last second.
    package var bitrate: Bitrate
    /// Since the receiver started.
    package var keyFramesTotal: Int
    /// Missing when their time had come.
    package var lostPacketsTotal: Int
    package var recoveredPacketsTotal: Int
    /// Dropped by the guard in front of the transport: plaintext, zero nonce, over the rate.
    package var guardDroppedTotal: Int
    package var video: VideoCodec?
    package var width: Int?
    package var height: Int?
    package var paths: [PathReport]
    /// From source to output, the longest of the last second; nil where the carrier does not know, or nothing arrives.
    package var latencyMs: Double?
    /// For how long the outputs have been shown the slate in the sender's place; nil while they are not.
    package var slateMs: Int?
    /// What came in time, of the packets of which the others are lost; nil from a receiver of before.
    package var deliveredPacketsTotal: Int?

    package enum State: String, Codable, Sendable {
        /// Nothing has arrived yet.
        case waiting
        /// Media arrives, and a key frame was seen.
        case flowing
        /// Nothing for over a second, or no key frame yet after the slate was shown.
        case interrupted
    }

    package init(
        state: State, bitrate: Bitrate, keyFramesTotal: Int, lostPacketsTotal: Int, recoveredPacketsTotal: Int, guardDroppedTotal: Int,
        video: VideoCodec?, width: Int?, height: Int?, paths: [PathReport], latencyMs: Double? = nil, slateMs: Int? = nil,
        deliveredPacketsTotal: Int? = nil
    ) {
        self.state = state
        self.bitrate = bitrate
        self.keyFramesTotal = keyFramesTotal
        self.lostPacketsTotal = lostPacketsTotal
        self.recoveredPacketsTotal = recoveredPacketsTotal
        self.guardDroppedTotal = guardDroppedTotal
        self.video = video
        self.width = width
        self.height = height
        self.paths = paths
        self.latencyMs = latencyMs
        self.slateMs = slateMs
        self.deliveredPacketsTotal = deliveredPacketsTotal
    }
}

/// Arrivals over one link, as the receiver sees it: by the address it comes from.
package struct PathReport: Codable, Sendable, Hashable {
    package var source: String
    package var bitrate: Bitrate
    package var packetsTotal: Int
    package var rttMs: Double?
    /// Share of the packets sent over this path in the last 5 s that did not arrive, 0 to 1; nil while too few were.
    package var loss: Double?

    package init(source: String, bitrate: Bitrate, packetsTotal: Int, rttMs: Double?, loss: Double?) {
        self.source = source
        self.bitrate = bitrate
        self.packetsTotal = packetsTotal
        self.rttMs = rttMs
        self.loss = loss
    }
}

package struct OutputReport: Codable, Sendable, Hashable {
    package var id: OutputID
    package var state: State
    /// Why it is retrying or failed, or is connecting again, for a person: `already publishing`, `connection refused (111)`; of one that
    /// is connected, what is wrong with it all the same.
    package var reason: String?
    package var sentBytesTotal: Int
    /// Access units dropped because the output could not keep up; whole groups of pictures.
    package var droppedUnitsTotal: Int
    package var reconnectsTotal: Int
    /// How often somebody in a room could not go on without a key frame; nil where nobody asks for any, and from a receiver of before.
    package var keyFramesWantedTotal: Int?

    package enum State: String, Codable, Sendable {
        case connecting, connected
        /// It failed and will be tried again.
        case retrying
        /// It failed for good: only a person can help, e.g. H.265 to RTMP.
        case failed
    }

    package init(
        id: OutputID, state: State, reason: String?, sentBytesTotal: Int, droppedUnitsTotal: Int, reconnectsTotal: Int,
        keyFramesWantedTotal: Int? = nil
    ) {
        self.id = id
        self.state = state
        self.reason = reason
        self.sentBytesTotal = sentBytesTotal
        self.droppedUnitsTotal = droppedUnitsTotal
        self.reconnectsTotal = reconnectsTotal
        self.keyFramesWantedTotal = keyFramesWantedTotal
    }
}

/// `{"type":"rtmp","body":{…}}`; a kind that this version cannot carry out is a fault, not something to pass over.
extension OutputSpec.Target {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: MessageKeys.self)
        let type = try container.decode(String.self, forKey: .type)
        switch type {
        case "rtmp": self = .rtmp(try container.decode(RTMPTarget.self, forKey: .body))
        case "srt": self = .srt(try container.decode(SRTTarget.self, forKey: .body))
        case "file": self = .file(try container.decode(FileTarget.self, forKey: .body))
        case "room": self = .room(try container.decode(RoomTarget.self, forKey: .body))
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .type, in: container, debugDescription: "no output is of the kind '\(type.prefix(40))'")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: MessageKeys.self)
        switch self {
        case .rtmp(let body):
            try container.encode("rtmp", forKey: .type)
            try container.encode(body, forKey: .body)
        case .srt(let body):
            try container.encode("srt", forKey: .type)
            try container.encode(body, forKey: .body)
        case .file(let body):
            try container.encode("file", forKey: .type)
            try container.encode(body, forKey: .body)
        case .room(let body):
            try container.encode("room", forKey: .type)
            try container.encode(body, forKey: .body)
        }
    }
}
