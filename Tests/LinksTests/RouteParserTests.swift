import Netlink
import Posix
import Testing

/// Bytes as hex; what follows `#` is the name of the field.
func hex(_ text: String) -> [UInt8] {
    text.split(separator: "\n").flatMap { line in
        (line.split(separator: "#", omittingEmptySubsequences: false).first ?? "").split(separator: " ").flatMap { word in
            stride(from: 0, to: word.utf8.count, by: 2).map { UInt8(word.dropFirst($0).prefix(2), radix: 16)! }
        }
    }
}

/// The kernel's buffers are aligned to 4 bytes; an array is too.
func parse(_ bytes: [UInt8]) -> [RouteMessage] { bytes.withUnsafeBytes { RouteParser.messages(in: $0) } }

/// RTM_NEWLINK for `wwan0`, as the kernel writes it on a little-endian machine.
let newLink = hex(
    """
    8c000000 1000 0200 01000000 5c5d0000   # nlmsghdr: length 140, RTM_NEWLINK, NLM_F_MULTI, sequence 1, port
    00 00 feff 07000000 c1100100 00000000  # ifinfomsg: family, pad, ARPHRD_NONE, index 7, UP|RUNNING|NOARP|LOWER_UP, change
    0a00 0300 7777616e30 00 0000           # IFLA_IFNAME "wwan0", padding
    0800 0400 aa050000                     # IFLA_MTU 1450
    0800 0a00 03000000                     # IFLA_MASTER 3
    0c00 1280 0800 0100 7767 6d00          # IFLA_LINKINFO (nested): IFLA_INFO_KIND "wgm"
    4400 1700                              # IFLA_STATS64
    0100000000000000 0200000000000000      # rx_packets 1, tx_packets 2
    0300000000000000 0400000000000000      # rx_bytes 3, tx_bytes 4
    0500000000000000 0600000000000000      # rx_errors 5, tx_errors 6
    0700000000000000 0800000000000000      # rx_dropped 7, tx_dropped 8
    """)

/// RTM_NEWADDR of a point-to-point link: IFA_LOCAL is ours, IFA_ADDRESS the other end.
let newAddress = hex(
    """
    30000000 1400 0000 00000000 00000000   # nlmsghdr: length 48, RTM_NEWADDR
    02 20 80 00 07000000                   # ifaddrmsg: AF_INET, /32, IFA_F_PERMANENT, RT_SCOPE_UNIVERSE, index 7
    0800 0100 0a404041                     # IFA_ADDRESS 10.64.64.65
    0800 0200 0a404040                     # IFA_LOCAL 10.64.64.64
    0800 0800 80000000                     # IFA_FLAGS
    """)

let tentative = hex(
    """
    34000000 1400 0000 00000000 00000000   # nlmsghdr: length 52, RTM_NEWADDR
    0a 40 40 00 07000000                   # ifaddrmsg: AF_INET6, /64, IFA_F_TENTATIVE, RT_SCOPE_UNIVERSE, index 7
    1400 0100 20010db8000000000000000000000001  # IFA_ADDRESS 2001:db8::1
    0800 0800 40000000                     # IFA_FLAGS IFA_F_TENTATIVE
    """)

let done = hex("14000000 0300 0200 01000000 5c5d0000 00000000  # NLMSG_DONE")

@Suite struct RouteParserTests {
    let wwan = NetworkInterface(
        index: 7, name: "wwan0", isUp: true, hasCarrier: true, mtu: 1450, hardwareType: 0xfffe, kind: "wgm", master: 3,
        counters: .init(
            receivedPackets: 1, sentPackets: 2, receivedBytes: 3, sentBytes: 4, receiveErrors: 5, sendErrors: 6, receiveDropped: 7,
            sendDropped: 8))

    @Test("a link, its kind and counters, addresses and the end of a dump are read")
    func messages() {
        let address = InterfaceAddress(index: 7, address: SocketAddress("10.64.64.64", port: 0)!, prefixLength: 32)
        let other = InterfaceAddress(
            index: 7, address: SocketAddress("2001:db8::1", port: 0)!, prefixLength: 64, isTentative: true)
        #expect(parse(newLink + newAddress + tentative + done) == [.link(wwan), .address(address), .address(other), .done])
    }

    @Test("deletions, errors and an interrupted dump are read")
    func others() {
        var gone = newLink
        gone[4] = 17
        #expect(parse(gone) == [.linkGone(index: 7)])
        let busy = hex("24000000 0200 0000 01000000 00000000 f0ffffff 14000000 1200 0103 01000000 00000000  # NLMSG_ERROR -16")
        #expect(parse(busy) == [.failed(code: 16)])
        var interrupted = newLink
        interrupted[6] |= 0x10
        #expect(parse(interrupted) == [.failed(code: 4), .link(wwan)])
    }

    @Test("a route is read, and not one whose gateway, header or type of service would be lost")
    func routes() {
        func route(tos: String = "00", _ attribute: String) -> [RouteMessage] {
            var bytes = hex(
                """
                00000000 1800 0200 01000000 5c5d0000   # nlmsghdr: length, RTM_NEWROUTE, NLM_F_MULTI, sequence 1, port
                02 00 00 \(tos) fe 04 00 01 00000000    # rtmsg: AF_INET, /0, source /0, tos, main table, RTPROT_STATIC, universe, unicast
                0800 0f00 fe000000                     # RTA_TABLE 254
                0800 0400 07000000                     # RTA_OIF 7
                \(attribute)
                """)
            bytes[0] = UInt8(bytes.count)
            return parse(bytes)
        }
        let gateway = "0800 0500 0a010101  # RTA_GATEWAY 10.1.1.1"
        let plain = RouteEntry(family: .ipv4, table: 254, index: 7, gateway: SocketAddress("10.1.1.1", port: 0)!, maker: 4)
        #expect(route(gateway) == [.route(plain)])
        #expect(route(tos: "10", gateway).isEmpty)
        #expect(route("1600 1200 0a00 fe800000000000000000000000000001 0000  # RTA_VIA: AF_INET6 fe80::1, padding").isEmpty)
        #expect(route("0600 1500 0100 0000 0800 1680 0400 0100  # RTA_ENCAP_TYPE MPLS, padding, RTA_ENCAP (nested)").isEmpty)
    }

    @Test("cut at every byte, and with every byte made large, nothing is read beyond the end")
    func hostile() {
        let all = newLink + newAddress + tentative + done
        for count in all.indices { _ = parse(Array(all.prefix(count))) }
        for index in all.indices {
            for value: UInt8 in [0, 1, 3, 0x7f, 0x80, 0xff] {
                var bytes = all
                bytes[index] = value
                _ = parse(bytes)
            }
        }
    }
}
