import FoundationEssentials
import Posix
import Units

/// Who connects: boards that speak and pages that listen. `Bench/control.py` writes it, in JSON.
struct LoadPlan: Decodable, Sendable {
    struct Board: Decodable, Sendable {
        /// Where it dials: `wss://127.0.0.1:4443/api/v1/devices/connect`.
        var url: String
        /// nil where nobody asks who it is.
        var device: DeviceID?
        /// Of its Ed25519 key, base64url; with `device`.
        var seed: String?
        /// How many pages are told of it.
        var pages: Int
    }

    /// The origin that boards sign; with their devices.
    var origin: String?
    /// The PEM file of whoever signed the server's certificate.
    var authority: String
    var boards: [Board]
    /// Where each page dials, with its ticket.
    var pages: [String]
    /// Whether pages offer compression, as browsers do.
    var deflate: Bool
}

extension LoadPlan {
    init(file: String) throws {
        self = try JSONDecoder().decode(LoadPlan.self, from: Data(RegularFile(file, upTo: 16 << 20).bytes))
    }
}

/// What a load cannot do.
struct LoadFault: Error, CustomStringConvertible {
    let description: String
}
