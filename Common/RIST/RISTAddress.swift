import CRist
import Posix

/// A parsed `rist_peer_config`, freed when it goes.
///
/// Every field comes from a type that can hold nothing else: an address, a checked passphrase, numbers. librist's URL
/// parser does not unescape, and no text from outside reaches it.
struct RISTAddress: ~Copyable {
    let config: UnsafeMutablePointer<rist_peer_config>

    init(_ url: String) throws(RISTError) {
        var config: UnsafeMutablePointer<rist_peer_config>?
        let code = rist_parse_address2(url, &config)
        guard code == 0, let config else { throw RISTError("rist_parse_address2", code) }
        self.config = config
    }

    deinit {
        var config: UnsafeMutablePointer<rist_peer_config>? = self.config
        rist_peer_config_free2(&config)
    }

    /// `rist://192.0.2.1:5000?...` or `rist://@127.0.0.1:5000?...`
    static func url(listening: Bool = false, _ address: SocketAddress, _ parameters: [(String, String)]) -> String {
        let query = parameters.map { "\($0)=\($1)" }.joined(separator: "&")
        return "rist://\(listening ? "@" : "")\(address)?\(query)"
    }

    /// Both halves always: `secret` alone sends in clear on 0.2.7.
    static func encryption(_ passphrase: RISTPassphrase) -> [(String, String)] {
        [("secret", passphrase.secret.revealed), ("aes-type", "256")]
    }
}

/// librist 0.2.8 and later bind a peer to an interface by themselves (`miface=`) and ignore the reorder buffer.
enum RISTVersion {
    static let isAfter027: Bool = {
        let parts = String(cString: librist_version()).split(separator: ".").prefix(3).map { digits in
            Int(digits.prefix { $0.isNumber }) ?? 0
        }
        return parts.count == 3 && parts.lexicographicallyPrecedes([0, 2, 8]) == false
    }()
}
