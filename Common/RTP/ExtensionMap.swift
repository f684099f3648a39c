/// The header extensions that we know; the raw value has no meaning outside of this process.
package enum HeaderExtension: UInt8, CaseIterable, Hashable, Sendable {
    /// Which media section: RFC 9143 section 15.2.
    case mid
    /// Which layer of a simulcast: RFC 8852 section 3.1.
    case rid
    /// Whose repair this is: RFC 8852 section 3.2.
    case repairedRID
    /// RFC 6464.
    case audioLevel
    /// When the packet left, 24 bits of 6.18 s. Source: webrtc.org/experiments/rtp-hdrext/abs-send-time.
    case sendTime
    /// draft-holmer-rmcat-transport-wide-cc-extensions-01 section 2.
    case transportSequence
    /// Bounds of the receiver's delay. Source: webrtc.org/experiments/rtp-hdrext/playout-delay.
    case playoutDelay

    /// As `a=extmap` names it.
    package var uri: String {
        switch self {
        case .mid: "urn:ietf:params:rtp-hdrext:sdes:mid"
        case .rid: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
        case .repairedRID: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
        case .audioLevel: "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
        case .sendTime: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
        case .transportSequence: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
        case .playoutDelay: "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
        }
    }

    /// nil for those that we do not know.
    package init?(uri: some StringProtocol) {
        guard let known = Self.allCases.first(where: { $0.uri == uri }) else { return nil }
        self = known
    }
}

/// Which id means which extension on one transport, as it was negotiated. Ids are 1...14 or 16...255: 15 ends one-byte extensions.
package struct ExtensionMap: Sendable {
    /// By raw value; 0 where it was not negotiated.
    private var ids = InlineArray<7, UInt8>(repeating: 0)

    package init() {}

    /// nil where it was not negotiated.
    package subscript(_ kind: HeaderExtension) -> UInt8? {
        let id = ids[Int(kind.rawValue)]
        return id == 0 ? nil : id
    }

    /// Takes `id` for `kind`.
    /// - Returns: whether it could: not for an id that no packet has or that another one holds.
    package mutating func set(_ kind: HeaderExtension, _ id: Int) -> Bool {
        guard 1...255 ~= id, id != 15, let byte = UInt8(exactly: id) else { return false }
        if let holder = self.kind(byte), holder != kind { return false }
        ids[Int(kind.rawValue)] = byte
        return true
    }

    /// nil for ids that mean nothing to us.
    package func kind(_ id: UInt8) -> HeaderExtension? {
        guard id != 0 else { return nil }
        for index in ids.indices where ids[index] == id { return HeaderExtension(rawValue: UInt8(index)) }
        return nil
    }
}

extension ExtensionMap: Hashable {
    package static func == (left: ExtensionMap, right: ExtensionMap) -> Bool {
        left.ids.indices.allSatisfy { left.ids[$0] == right.ids[$0] }
    }

    package func hash(into hasher: inout Hasher) {
        for index in ids.indices { hasher.combine(ids[index]) }
    }
}
