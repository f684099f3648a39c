import BondWire
import Bonding
import Glibc
import Posix
import RISTFlow
import Wire

/// One link of the bond: its socket, its handshake and the keys that came of it. A value of the sender's, on its loop.
struct BondLine {
    enum Stage: Equatable {
        /// No address of the receiver is left to try, or the device is not there: until then.
        case resting(until: Instant)
        /// Handshakes are on their way.
        case dialling
        /// Keys are agreed; what the path carries is not proven yet.
        case proving(since: Instant)
        /// It carries media.
        case up
    }

    var link: Link
    let number: LinkNumber
    /// The kernel's number of the interface: a device that was unplugged and came back has another one under its name.
    var index: Int
    var choice: AddressChoice
    var stage: Stage
    var socket: UDPSocket?
    var watch: Watch?
    var address: SocketAddress?
    /// Handshakes under way; while the link is silent beside keys that work, as the receiver may have forgotten them.
    var race: AddressRace?
    /// What they are sent by.
    var asides: [SocketAddress.Family: Aside] = [:]
    var keys: SecureLink?
    var redials = 0
    var redial = Redial()
    /// Probes of a size under way, and the largest one that came through, as RTP packets.
    var proofs: [UInt64: Int] = [:]
    var proven = 0
    var provenAt: Instant?
    /// Probes that are smaller than any packet of media, and came through while none of the others did.
    var smallArrivals = 0
    var nextProof: Instant
    /// Whether what was proven still comes through, while that is looked at; and when it is not asked again before.
    var doubt: PathDoubt?
    var nextDoubt: Instant
    var isReportedUnreachable = false
    /// What `UplinkEvent` was told last.
    var isReportedLive = false
    /// Why it does not carry, for a person.
    var reason: String?
    var rate = SendRate()

    init(link: Link, number: LinkNumber, index: Int, choice: AddressChoice, at now: Instant) {
        self.link = link
        self.number = number
        self.index = index
        self.choice = choice
        stage = .resting(until: now)
        nextProof = now
        nextDoubt = now
    }

    /// How long an address has for each of its handshake's answers.
    static let dialLimit = Duration.seconds(2)
    /// How long the largest packets have to come through before less is made do with.
    static let proofLimit = Duration.milliseconds(300)
    /// Larger packets than the path carried are tried again after this long: a route may have changed.
    static let proofPause = Duration.seconds(10)
    /// A link that carries small packets alone is asked again after this long.
    static let narrowPause = Duration.seconds(30)
    /// Of a link's first probes: at 30 % of loss the twelve large ones that left with them are all lost once in two million times.
    static let smallProof = 4

    static func families(of link: Link) -> Set<SocketAddress.Family> {
        Set(link.addresses.compactMap { SocketAddress($0, port: 0)?.family })
    }

    /// What IP and UDP add to each datagram. Source: RFC 791, RFC 8200, RFC 768.
    var ipOverhead: Int { address?.family == .ipv6 ? 48 : 28 }

    /// RTP packets of seven, six and five transport stream packets: what the path is asked to carry.
    static let proofSizes = [7, 6, 5].map { RTPPacket.headerBytes + $0 * Packetizer.packetBytes }

    /// Bytes of the smallest packets of media with all headers.
    private var leastBytes: Int { BondLine.proofSizes[2] + SecureLink.overheadBytes + ipOverhead }

    /// Why the interface takes no packet of media; nil where it does, or does not tell.
    var narrowness: String? {
        guard link.mtu > 0, link.mtu < leastBytes else { return nil }
        return "its MTU of \(link.mtu) bytes is too small: packets of media have \(leastBytes) bytes at least"
    }

    /// Why its path carries none, where the interface would.
    var pathNarrowness: String { "the MTU of its path is too small: packets of \(leastBytes) bytes do not come through, small ones do" }

    var isResting: Bool { if case .resting = stage { true } else { false } }
}
