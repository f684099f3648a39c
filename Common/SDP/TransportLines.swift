/// Which end opens the DTLS connection. Source: RFC 4145 section 4, RFC 8842 section 5.
package enum SetupRole: String, Hashable, Sendable {
    case active
    case passive
    /// Of an offer: either.
    case actpass
    case holdconn
}

/// The hash of a certificate, as `a=fingerprint` has it. Source: RFC 8122 section 5.
package struct Fingerprint: Hashable, Sendable {
    package enum Algorithm: String, Hashable, Sendable, CaseIterable {
        case sha1 = "sha-1"
        case sha224 = "sha-224"
        case sha256 = "sha-256"
        case sha384 = "sha-384"
        case sha512 = "sha-512"

        var byteCount: Int {
            switch self {
            case .sha1: 20
            case .sha224: 28
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }

        /// RFC 8122 section 5 forbids MD2 and MD5; SHA-1 is no proof either any more.
        package var isStrong: Bool { byteCount >= 32 }
    }

    package let algorithm: Algorithm
    package let bytes: [UInt8]

    /// nil unless there are as many bytes as the algorithm has.
    package init?(_ algorithm: Algorithm, _ bytes: [UInt8]) {
        guard bytes.count == algorithm.byteCount else { return nil }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// As it stands behind `a=fingerprint:`: pairs of hexadecimal digits, in capitals or not.
    package init?(_ text: String) {
        let (name, digits) = cut(text, " ")
        guard let algorithm = Algorithm(rawValue: name.lowercased()), let digits else { return nil }
        var bytes: [UInt8] = []
        for pair in parts(digits, ":") {
            guard pair.utf8.count == 2, !pair.hasPrefix("+"), !pair.hasPrefix("-"), let byte = UInt8(pair, radix: 16) else { return nil }
            bytes.append(byte)
        }
        self.init(algorithm, bytes)
    }

    package var text: String {
        let digits = Array("0123456789ABCDEF".utf8)
        let pairs = bytes.map { String(decoding: [digits[Int($0 >> 4)], digits[Int($0 & 15)]], as: UTF8.self) }
        return algorithm.rawValue + " " + pairs.joined(separator: ":")
    }
}

/// What a description says of ICE and DTLS, for the session or for one section. Source: RFC 8839, RFC 8842.
package struct TransportLines: Hashable, Sendable {
    /// 4...256 characters of ICE.
    package var ufrag: String?
    /// 22...256 characters of ICE.
    package var password: String?
    /// `trickle`, `ice2`, `renomination`...
    package var options: [String]
    package var fingerprints: [Fingerprint]
    package var setup: SetupRole?
    package var candidates: [Candidate]
    /// No more candidates come.
    package var isComplete: Bool

    package init(
        ufrag: String? = nil, password: String? = nil, options: [String] = [], fingerprints: [Fingerprint] = [], setup: SetupRole? = nil,
        candidates: [Candidate] = [], isComplete: Bool = false
    ) {
        self.ufrag = ufrag
        self.password = password
        self.options = options
        self.fingerprints = fingerprints
        self.setup = setup
        self.candidates = candidates
        self.isComplete = isComplete
    }

    /// These, and those of the session where a section says nothing.
    func over(_ session: TransportLines) -> TransportLines {
        var merged = self
        // RFC 8839 section 5.4: a user fragment and its password come from the same level.
        if ufrag == nil && password == nil {
            merged.ufrag = session.ufrag
            merged.password = session.password
        }
        if options.isEmpty { merged.options = session.options }
        if fingerprints.isEmpty { merged.fingerprints = session.fingerprints }
        if setup == nil { merged.setup = session.setup }
        return merged
    }

    /// `ice-char` of RFC 8839 section 5.1.
    static func isICEText(_ text: String, _ length: ClosedRange<Int>) -> Bool {
        length.contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x2b, 0x2f...0x39, 0x41...0x5a, 0x61...0x7a: true
                default: false
                }
            }
    }

    /// Takes one attribute.
    /// - Returns: whether it is one of these.
    mutating func take(_ attribute: Attribute) throws(SDPFault) -> Bool {
        switch attribute.name {
        case "ice-ufrag":
            guard ufrag == nil else { throw attribute.fault(.duplicate) }
            ufrag = try attribute.text { Self.isICEText($0, 4...256) }
        case "ice-pwd":
            guard password == nil else { throw attribute.fault(.duplicate) }
            password = try attribute.text { Self.isICEText($0, 22...256) }
        case "ice-options":
            guard options.isEmpty else { throw attribute.fault(.duplicate) }
            var value = attribute.value
            options = value.words()
        case "fingerprint":
            var value = attribute.value
            let text = value.rest()
            // Of a hash that we do not know: as if it were not there.
            guard Fingerprint.Algorithm(rawValue: cut(text, " ").first.lowercased()) != nil else { return true }
            guard let fingerprint = Fingerprint(text) else { throw attribute.fault(.syntax) }
            fingerprints.append(fingerprint)
        case "setup":
            guard setup == nil else { throw attribute.fault(.duplicate) }
            var value = attribute.value
            guard let role = SetupRole(rawValue: value.rest()) else { throw attribute.fault(.syntax) }
            setup = role
        case "candidate":
            var value = attribute.value
            guard let candidate = Candidate(value.rest()) else { throw attribute.fault(.syntax) }
            candidates.append(candidate)
        case "end-of-candidates": isComplete = true
        default: return false
        }
        return true
    }

    func write(into lines: inout LineWriter) {
        if let ufrag { lines.attribute("ice-ufrag", ufrag) }
        if let password { lines.attribute("ice-pwd", password) }
        if !options.isEmpty { lines.attribute("ice-options", options.joined(separator: " ")) }
        for fingerprint in fingerprints { lines.attribute("fingerprint", fingerprint.text) }
        if let setup { lines.attribute("setup", setup.rawValue) }
        writeCandidates(into: &lines)
    }

    func writeCandidates(into lines: inout LineWriter) {
        for candidate in candidates { lines.attribute("candidate", candidate.text) }
        if isComplete { lines.attribute("end-of-candidates") }
    }
}
