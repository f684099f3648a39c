import BondWire
import Crypto

/// One direction's cryptography for one kind of packet, RTP or RTCP, and where it puts what it adds.
///
/// Of a packet, the first `clear` bytes stay readable. RTCP carries its own number as `word`, with the top bit for "encrypted": behind the
/// tag with AEAD (RFC 7714 section 9.2), before it otherwise (RFC 3711 section 3.4).
enum Protection {
    case gcm(PacketGCM, salt: PacketNonce)
    case counter(CounterMode)

    static let wordBytes = 4

    init(_ profile: SRTPProfile, _ master: MasterKey, _ traffic: MasterKey.Traffic, _ direction: PacketGCM.Direction) {
        let key = master.derive(.encryption, traffic, count: profile.keyBytes)
        let salt = master.derive(.salt, traffic, count: profile.saltBytes)
        switch profile {
        case .gcm: self.init(gcm: key, salt: salt, direction)
        case .counter:
            let code = master.derive(.authentication, traffic, count: HMACSHA1.byteCount)
            self = .counter(CounterMode(key: key, salt: salt, authentication: code))
        }
    }

    /// - Parameter salt: 12 bytes, as `key` of the session.
    init(gcm key: [UInt8], salt: [UInt8], _ direction: PacketGCM.Direction) {
        let start = salt.counterStart
        let nonce = PacketNonce(high: UInt32(start.high >> 32), low: start.high << 32 | start.low >> 32)
        self = .gcm(PacketGCM(key: key, direction), salt: nonce)
    }

    private var profile: SRTPProfile {
        switch self {
        case .gcm: .gcm
        case .counter: .counter
        }
    }

    /// What a packet grows by.
    func overhead(control isControl: Bool) -> Int { profile.tagBytes + (isControl ? Self.wordBytes : 0) }

    /// Encrypts `text` into `packet`, behind its `clear` first bytes, which lie there already.
    ///
    /// - Parameters:
    ///   - packet: has the room.
    ///   - text: may lie in `packet` already, at its place there.
    ///   - index: of RTP, 48 bits; of RTCP, 31.
    ///   - word: of RTCP only.
    /// - Returns: the count of the protected packet.
    func seal(
        _ packet: UnsafeMutableRawBufferPointer, clear: Int, text: UnsafeRawBufferPointer, source: UInt32, index: UInt64,
        word: UInt32? = nil
    ) -> Int {
        guard let start = packet.baseAddress else { return 0 }
        var end = clear + text.count
        switch self {
        case .gcm(let cipher, let salt):
            let head = UnsafeRawBufferPointer(packet).part(0..<clear)
            cipher.seal(text, clear: head, word: word, nonce: Self.nonce(salt, source, index), to: start + clear)
            end += PacketGCM.tagBytes
            if let word { packet.store32(word, at: end) }
            return end + (word == nil ? 0 : Self.wordBytes)
        case .counter(let mode):
            mode.transform(text, to: start + clear, source, index)
            let tag = end + (word == nil ? 0 : Self.wordBytes)
            if let word { packet.store32(word, at: end) }
            end = tag + CounterMode.tagBytes
            // What is behind the ciphertext is RTCP's word, or RTP's rollover counter, which is not sent.
            mode.code.write(
                UnsafeRawBufferPointer(packet).part(0..<clear + text.count), word ?? UInt32(truncatingIfNeeded: index >> 16),
                to: packet.part(tag..<end))
            return end
        }
    }

    /// Decrypts a whole packet where it lies.
    /// - Parameter packet: at least `clear` and the overhead.
    /// - Returns: false where anything was changed; the packet is worthless then.
    func open(_ packet: UnsafeMutableRawBufferPointer, clear: Int, source: UInt32, index: UInt64, word: UInt32? = nil) -> Bool {
        guard let start = packet.baseAddress else { return false }
        let all = UnsafeRawBufferPointer(packet)
        let end = packet.count - overhead(control: word != nil)
        switch self {
        case .gcm(let cipher, let salt):
            let sealed = packet.part(clear..<end + PacketGCM.tagBytes)
            return cipher.open(sealed, clear: all.part(0..<clear), word: word, nonce: Self.nonce(salt, source, index))
        case .counter(let mode):
            let tag = all.part(packet.count - CounterMode.tagBytes..<packet.count)
            guard mode.code.isAuthentic(tag, all.part(0..<end), word ?? UInt32(truncatingIfNeeded: index >> 16)) else { return false }
            mode.transform(all.part(clear..<end), to: start + clear, source, index)
            return true
        }
    }

    /// The word that an RTCP packet carries, which nobody has authenticated yet.
    func word(of packet: UnsafeRawBufferPointer) -> UInt32 {
        switch self {
        case .gcm: packet.word32(packet.count - Self.wordBytes)
        case .counter: packet.word32(packet.count - CounterMode.tagBytes - Self.wordBytes)
        }
    }

    /// Source: RFC 7714 sections 8.1 and 9.1. A number of RTCP has no more than 31 bits, so both are the same sum.
    private static func nonce(_ salt: PacketNonce, _ source: UInt32, _ index: UInt64) -> PacketNonce {
        PacketNonce(high: salt.high ^ source >> 16, low: salt.low ^ (UInt64(source) << 48 | index))
    }
}

/// AES_CM_128_HMAC_SHA1_80 in one direction: encrypted, then authenticated. Source: RFC 3711 sections 4.1.1 and 4.2.1.
final class CounterMode {
    static let tagBytes = SRTPProfile.counter.tagBytes

    let code: HMACSHA1
    private let cipher: AESCounter
    private let salt: (high: UInt64, low: UInt64)

    init(key: [UInt8], salt: [UInt8], authentication: [UInt8]) {
        cipher = AESCounter(key: key)
        self.salt = salt.counterStart
        code = HMACSHA1(key: authentication)
    }

    func transform(_ text: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer, _ source: UInt32, _ index: UInt64) {
        cipher.transform(text, to: target, counter: (salt.high ^ UInt64(source), salt.low ^ index << 16))
    }
}
