package import BondWire
import Crypto
package import SRTP
package import TLS

/// One peer's way in and out, from the moment that ICE has found a path: a DTLS handshake, then SRTP both ways. Source: RFC 5764.
///
/// No socket and no clock of its own; confined to its owner's thread.
package final class MediaTransport {
    package enum Event: Sendable, Hashable {
        /// A datagram to the peer.
        case send([UInt8])
        /// Media may come and go from now on.
        case opened
        /// The way is over, and why.
        case ended(String)
    }

    private let handshake: DTLSSession
    private let role: DTLSSession.Role
    /// Until when it must be open.
    private let end: Microseconds
    private var receiver: SRTPReceiver?
    package private(set) var sender: SRTPSender?
    /// Media that were forged, came twice, or came before there were keys.
    package private(set) var refused = 0
    /// What came over DTLS itself since it is open, authentic: the peer is there.
    package private(set) var messages = 0

    /// From the offer to the end of the handshake, whatever the peer's checks say meanwhile.
    package static let patience: Microseconds = 30_000_000

    /// - Parameter peer: the fingerprints that the peer's description promised.
    /// - Throws: `TLSError` where there is no memory.
    package init(_ context: DTLSContext, _ role: DTLSSession.Role, peer: [CertificateFingerprint], at now: Microseconds) throws {
        handshake = try DTLSSession(context, role, peer: peer)
        self.role = role
        end = now + Self.patience
    }

    package var isOpen: Bool { sender != nil }
    /// When `advance` must be called; nil where nothing is waited for.
    package var deadline: Microseconds? { isOpen ? handshake.deadline : min(end, handshake.deadline ?? end) }

    package func start(at now: Microseconds) -> [Event] { handshake.start(at: now).compactMap(event) }
    package func take(_ datagram: [UInt8], at now: Microseconds) -> [Event] { handshake.take(datagram, at: now).compactMap(event) }

    package func advance(to now: Microseconds) -> [Event] {
        guard isOpen || now < end else { return close() + [.ended("its handshake was not done within 30 s")] }
        return handshake.advance(to: now).compactMap(event)
    }

    package func close() -> [Event] { handshake.close().compactMap(event) }

    private func event(_ event: DTLSEvent) -> Event? {
        switch event {
        case .send(let datagram): return .send(datagram)
        case .connected(let connection):
            guard let keys = SRTPKeys(connection.profile, exported: connection.keyingMaterial, role: role == .client ? .client : .server)
            else { return .ended("the handshake gave no keys") }
            receiver = SRTPReceiver(keys)
            sender = SRTPSender(keys)
            return .opened
        // Of data channels, which nobody has negotiated.
        case .received:
            messages += 1
            return nil
        case .closed: return .ended("the peer has left")
        case .failed(let fault): return .ended("\(fault)")
        }
    }

    /// Opens an RTP packet in place.
    /// - Returns: its bytes; nil where it is not authentic, or came before.
    package func openMedia(_ buffer: UnsafeMutableRawBufferPointer, _ count: Int) -> Int? {
        open { receiver throws(SRTPError) in try receiver.unprotect(buffer, count) }
    }

    /// Opens an RTCP packet in place. As `openMedia`.
    package func openControl(_ buffer: UnsafeMutableRawBufferPointer, _ count: Int) -> Int? {
        open { receiver throws(SRTPError) in try receiver.unprotectControl(buffer, count) }
    }

    private func open(_ body: (SRTPReceiver) throws(SRTPError) -> Int) -> Int? {
        do throws(SRTPError) {
            if let receiver { return try body(receiver) }
        } catch {}  // Counted with those that came too early: whoever has no keys can send as many as they like.
        refused += 1
        return nil
    }
}
