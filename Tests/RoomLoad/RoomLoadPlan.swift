import FoundationEssentials
import Posix

/// Who comes into which rooms, and what those send who send. `Bench/sfu.py` writes it, in JSON.
struct RoomLoadPlan: Decodable, Sendable {
    /// By which signalling they come in.
    enum Server: String, Decodable, Sendable {
        /// WHIP and WHEP.
        case strata
        /// The HTTP API of Janus, with its plugin `videoroom`.
        case janus
    }

    struct Room: Decodable, Sendable {
        /// An id of control, or one of Janus' numbers as text.
        var id: String
        /// The passes of control; empty of Janus.
        var publish: String
        var play: String
        /// How many come now.
        var publishers: Int
        var players: Int
    }

    /// What players tell of what they get.
    enum Feedback: String, Decodable, Sendable {
        /// Reports alone: all that is sent is to be sent on at once.
        case none
        /// When each packet came (transport-wide), as browsers do, with a place for repeats: the way is estimated and paced then.
        case transport
    }

    var server: Server
    /// Of control, `http://127.0.0.1:8080`; of Janus with its path, `http://127.0.0.1:8088/janus`.
    var url: String
    /// The address by which peers come: no loopback one, because Janus takes none.
    var bind: String
    var rooms: [Room]
    /// Of each publisher in a second.
    var packets: Int
    /// Of each packet's payload.
    var bytes: Int
    /// How many packets of a publisher leave at once; 1: evenly spread.
    var burst: Int
    var feedback: Feedback
    /// How many come at the same time.
    var atOnce: Int
    /// Of a plan by which they come and go.
    var seconds: Int?
}

extension RoomLoadPlan {
    init(file: String) throws {
        self = try JSONDecoder().decode(RoomLoadPlan.self, from: Data(RegularFile(file, upTo: 16 << 20).bytes))
    }

    /// The room of each of those who come.
    func each(_ count: (Room) -> Int) -> [Room] { rooms.flatMap { [Room](repeating: $0, count: count($0)) } }

    /// Thirty pictures a second, as cameras make them.
    static let pictures = 30
    static let payloadType: UInt8 = 96
    /// Of repeats, where players take them.
    static let repeatType: UInt8 = 97
    /// Of the transport-wide number among the header extensions.
    static let numberExtension = 3
}

/// What a load cannot do.
struct RoomLoadFault: Error, CustomStringConvertible {
    let description: String
}
