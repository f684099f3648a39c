package import Posix
import Wire

/// What this host lets its outputs do, whatever they are told: its operator's word, and the last one (THREATS 9).
package struct OutputPolicy: Sendable {
    private let rule: OutboundRule
    private let streamPorts: ClosedRange<Int>?
    /// The way into rooms; nil where this host has none.
    let rooms: RoomEntrance?

    /// - Parameters:
    ///   - allowed: networks that may be reached though they are not of the public net.
    ///   - streamPorts: UDP ports of this host that belong to streams: no listener may take one.
    ///   - rooms: the way into those of the control that this host belongs to; nil for none.
    package init(allowing allowed: [AddressRange], streamPorts: ClosedRange<Int>? = nil, rooms: RoomEntrance? = nil) {
        self.rooms = rooms
        rule = OutboundRule(allowing: allowed)
        self.streamPorts = streamPorts
    }

    /// Why a target is refused; nil where it is not.
    func refusal(of target: OutputSpec.Target) -> String? {
        switch target {
        case .rtmp(let rtmp): refusal(rtmp.address)
        case .srt(let srt) where srt.mode == .caller: refusal(srt.address)
        case .srt(let srt): refusal(listener: srt.port)
        case .file: nil
        // It names no address: the way there is this host's own.
        case .room: rooms == nil ? "this host has no way into rooms: its pool is not told where control is" : nil
        }
    }

    private func refusal(_ text: String) -> String? {
        guard let address = SocketAddress(text, port: 0) else { return "\(text) is no address" }
        let kind = rule.forbiddenKind(of: address, own: OutboundRule.ownAddresses())
        return kind.map { "this host sends nothing to \(text), which is \($0); its operator can allow it in outbound.allow" }
    }

    private func refusal(listener port: Int) -> String? {
        if port < 1024 { return "an SRT listener needs a port from 1024 on" }
        guard let streamPorts, streamPorts.contains(port) else { return nil }
        return
            "port \(port) is one of this host's ports for streams, \(streamPorts.lowerBound)-\(streamPorts.upperBound): choose another one"
    }
}
