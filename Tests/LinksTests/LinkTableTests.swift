import Foundation
import Netlink
import Posix
import Testing
import Wire

@testable import Links

@Suite struct LinkTableTests {
    func address(_ text: String, index: Int, isGlobal: Bool = true, isTentative: Bool = false) -> InterfaceAddress {
        InterfaceAddress(
            index: index, address: SocketAddress(text, port: 0)!, prefixLength: 24, isGlobal: isGlobal, isTentative: isTentative)
    }

    func table(_ policy: LinkPolicy = LinkPolicy(), _ clues: [String: LinkClues] = [:]) -> LinkTable {
        LinkTable(policy: policy) { clues[$0] ?? LinkClues(driver: "e1000e") }
    }

    @Test("a link is up with carrier and address, unaddressed without, down without carrier")
    func states() {
        var table = table()
        table.apply(.link(NetworkInterface(index: 2, name: "eth0", isUp: true, hasCarrier: false)))
        #expect(table.links.map(\.state) == [.down])
        table.apply(.link(NetworkInterface(index: 2, name: "eth0", isUp: true, hasCarrier: true, mtu: 1400)))
        #expect(table.links.map(\.state) == [.unaddressed])
        table.apply(.address(address("2001:db8::5", index: 2)))
        table.apply(.address(address("192.0.2.5", index: 2)))
        #expect(
            table.links == [
                Link(name: "eth0", kind: .ethernet, state: .up, addresses: ["192.0.2.5", "2001:db8::5"], mtu: 1400)
            ])
        table.apply(.addressGone(address("192.0.2.5", index: 2)))
        #expect(table.links[0].addresses == ["2001:db8::5"])
        table.apply(.linkGone(index: 2))
        #expect(table.links.isEmpty)
    }

    @Test("link-local and tentative addresses do not make a link usable")
    func unusable() {
        var table = table()
        table.apply(.link(NetworkInterface(index: 2, name: "eth0", isUp: true, hasCarrier: true)))
        table.apply(.address(address("fe80::1", index: 2, isGlobal: false)))
        table.apply(.address(address("2001:db8::5", index: 2, isTentative: true)))
        #expect(table.links.map(\.state) == [.unaddressed])
        table.apply(.address(address("2001:db8::5", index: 2)))
        #expect(table.links.map(\.state) == [.up])
    }

    @Test("two devices of one name are no fault: the end of the first may go unheard, and names that are not UTF-8 may read alike")
    func sameName() {
        var table = table()
        for index in [5, 7, 6] {
            table.apply(.link(NetworkInterface(index: index, name: "wwan0", isUp: true, hasCarrier: true)))
        }
        #expect(table.indices == ["wwan0": 7])
        table.apply(.linkGone(index: 7))
        #expect(table.indices == ["wwan0": 6])
    }

    @Test("what a new dump does not mention is gone at its end")
    func dump() {
        var table = table()
        for index in 2...3 {
            table.apply(.link(NetworkInterface(index: index, name: "eth\(index)", isUp: true, hasCarrier: true)))
            table.apply(.address(address("192.0.\(index).5", index: index)))
        }
        table.beginDump()
        table.apply(.link(NetworkInterface(index: 3, name: "eth3", isUp: true, hasCarrier: true)))
        #expect(table.links.count == 2)
        table.endDump()
        #expect(table.links.map(\.name) == ["eth3"])
        #expect(table.links[0].state == .unaddressed)
    }

    @Test("loopback, bridges, their ports and container plumbing are no links, unless allowed by name")
    func policy() {
        let interfaces = [
            NetworkInterface(index: 1, name: "lo", isUp: true, hasCarrier: true, isLoopback: true),
            NetworkInterface(index: 2, name: "docker0", isUp: true, hasCarrier: true, kind: "bridge"),
            NetworkInterface(index: 3, name: "veth12ab", isUp: true, hasCarrier: true, kind: "veth", master: 2),
            NetworkInterface(index: 4, name: "wg0", isUp: true, hasCarrier: true, kind: "wireguard"),
            NetworkInterface(index: 5, name: "eth0", isUp: true, hasCarrier: true),
            NetworkInterface(index: 6, name: "usb0", isUp: true, hasCarrier: true),
        ]
        func names(_ policy: LinkPolicy) -> [String] {
            var table = table(policy)
            for interface in interfaces { table.apply(.link(interface)) }
            return table.links.map(\.name)
        }
        #expect(names(LinkPolicy()) == ["eth0", "usb0"])
        #expect(names(LinkPolicy(deny: ["eth*"])) == ["usb0"])
        #expect(names(LinkPolicy(allow: ["wg0", "veth*", "l*"])) == ["wg0"])
        #expect(names(LinkPolicy(allow: ["lo"])) == ["lo"])
    }

    @Test("loopback that is allowed by name is up with its own addresses")
    func loopback() {
        var table = table(LinkPolicy(allow: ["lo"]))
        table.apply(.link(NetworkInterface(index: 1, name: "lo", isUp: true, hasCarrier: true, isLoopback: true)))
        table.apply(.address(address("127.0.0.1", index: 1, isGlobal: false)))
        #expect(table.links.map(\.state) == [.up] && table.links[0].addresses == ["127.0.0.1"])
    }

    @Test("what sysfs tells of an interface: its type, its driver, and on USB its vendor")
    func clues() throws {
        let root = NSTemporaryDirectory() + "strata-clues-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let files = FileManager.default
        for (name, uevent, driver, vendor) in [
            ("usb0", "INTERFACE=usb0\n", "cdc_ncm", "12d1\n"), ("wlan0", "DEVTYPE=wlan\nINTERFACE=wlan0\n", "brcmfmac", nil),
        ] as [(String, String, String, String?)] {
            let device = "\(root)/devices/\(name)"
            try files.createDirectory(atPath: "\(device)/1.0", withIntermediateDirectories: true)
            try files.createDirectory(atPath: "\(root)/class/net/\(name)", withIntermediateDirectories: true)
            try uevent.write(toFile: "\(root)/class/net/\(name)/uevent", atomically: true, encoding: .utf8)
            try vendor?.write(toFile: "\(device)/idVendor", atomically: true, encoding: .utf8)
            try files.createSymbolicLink(atPath: "\(device)/1.0/driver", withDestinationPath: "\(root)/drivers/\(driver)")
            try files.createSymbolicLink(atPath: "\(root)/class/net/\(name)/device", withDestinationPath: "\(device)/1.0")
        }
        #expect(LinkClues(interface: "usb0", sysfs: root) == LinkClues(driver: "cdc_ncm", vendor: "12d1"))
        #expect(LinkClues(interface: "wlan0", sysfs: root) == LinkClues(deviceType: "wlan", driver: "brcmfmac"))
        #expect(LinkClues(interface: "gone", sysfs: root) == LinkClues())
    }

    @Test("modems are told from Ethernet by type, driver and vendor")
    func kinds() {
        let cases: [(String, Int, String?, LinkClues, Link.Kind)] = [
            ("eth0", 1, nil, LinkClues(driver: "e1000e"), .ethernet),
            ("eth1", 1, nil, LinkClues(driver: "cdc_ether"), .cellular),
            // A HiLink stick, a telephone, and a modem that the kernel knows, by the driver that adapters of 2.5 Gbit/s have as well.
            ("usb0", 1, nil, LinkClues(driver: "cdc_ncm", vendor: "12d1"), .cellular),
            ("usb1", 1, nil, LinkClues(driver: "cdc_ncm", vendor: "18d1"), .cellular),
            ("wwan1", 1, nil, LinkClues(deviceType: "wwan", driver: "cdc_ncm", vendor: "0bdb"), .cellular),
            ("eth2", 1, nil, LinkClues(driver: "cdc_ncm", vendor: "0bda"), .ethernet),
            ("eth3", 1, nil, LinkClues(driver: "cdc_ncm", vendor: "0b95"), .ethernet),
            ("dock0", 1, nil, LinkClues(driver: "cdc_ether", vendor: "17e9"), .ethernet),
            ("eth4", 1, nil, LinkClues(driver: "r8152", vendor: "0bda"), .ethernet),
            ("usb2", 1, nil, LinkClues(driver: "rndis_host", vendor: "0bda"), .cellular),
            ("wwan0", 0xfffe, nil, LinkClues(deviceType: "wwan", driver: "qmi_wwan"), .cellular),
            ("wlan0", 1, nil, LinkClues(deviceType: "wlan", driver: "brcmfmac"), .wifi),
            ("ppp0", 512, nil, LinkClues(), .cellular),
            ("modem0", 1, "veth", LinkClues(), .virtual),
            ("vlan7", 1, "vlan", LinkClues(deviceType: "vlan"), .ethernet),
            ("odd0", 1, nil, LinkClues(), .other),
        ]
        for (name, type, kind, clues, expected) in cases {
            var table = table(LinkPolicy(), [name: clues])
            table.apply(.link(NetworkInterface(index: 2, name: name, isUp: true, hasCarrier: true, hardwareType: type, kind: kind)))
            #expect(table.links.map(\.kind) == [expected], "\(name)")
        }
    }
}
