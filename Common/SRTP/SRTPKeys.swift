package import Crypto

/// The keys of one connection, as its DTLS exported them. They print as dots.
package struct SRTPKeys: Sendable, CustomStringConvertible, CustomReflectable {
    /// Which end of the DTLS connection is ours.
    package enum Role: Hashable, Sendable {
        case client
        case server
    }

    package let profile: SRTPProfile
    let sending: MasterKey
    let receiving: MasterKey

    /// The client's key, the server's, the client's salt, the server's. Source: RFC 5764 section 4.2.
    /// - Returns: nil unless there are as many bytes as the profile needs.
    package init?(_ profile: SRTPProfile, exported: [UInt8], role: Role) {
        guard exported.count == profile.exportedBytes else { return nil }
        let (key, salt) = (profile.keyBytes, profile.saltBytes)
        let client = MasterKey(key: Array(exported[..<key]), salt: Array(exported[2 * key..<2 * key + salt]))
        let server = MasterKey(key: Array(exported[key..<2 * key]), salt: Array(exported[(2 * key + salt)...]))
        self.profile = profile
        sending = role == .client ? client : server
        receiving = role == .client ? server : client
    }

    package var description: String { "•••" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// One direction's master key and salt, from which its session keys are derived.
struct MasterKey: Sendable {
    let key: [UInt8]
    let salt: [UInt8]

    /// What a session key is for; RTCP's are three further. Source: RFC 3711 section 4.3.1.
    enum Purpose: UInt8 {
        case encryption = 0
        case authentication = 1
        case salt = 2
    }

    enum Traffic: UInt8 {
        case media = 0
        case control = 3
    }

    /// AES in counter mode over nothing, from the salt and the purpose; a key derivation rate of zero. A salt of 12 bytes has two zeros
    /// behind it. Source: RFC 3711 sections 4.3.1 and 4.3.3; RFC 7714 section 11.
    func derive(_ purpose: Purpose, _ traffic: Traffic, count: Int) -> [UInt8] {
        var start = salt.counterStart
        start.high ^= UInt64(purpose.rawValue + traffic.rawValue)
        var bytes = [UInt8](repeating: 0, count: count)
        AESCounter(key: key).transform(&bytes, counter: start)
        return bytes
    }
}

extension [UInt8] {
    /// A salt of at most 14 bytes as the front of a counter block, the rest zero.
    var counterStart: (high: UInt64, low: UInt64) {
        var halves: (high: UInt64, low: UInt64) = (0, 0)
        for (place, byte) in prefix(14).enumerated() {
            if place < 8 {
                halves.high |= UInt64(byte) << (56 - 8 * UInt64(place))
            } else {
                halves.low |= UInt64(byte) << (120 - 8 * UInt64(place))
            }
        }
        return halves
    }
}
