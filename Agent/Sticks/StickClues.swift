import Glibc
import Netlink
import Posix

/// Which interfaces may be sticks, and where their pages are. Nothing is asked over the network for it.
enum StickClues {
    /// USB vendor numbers of sticks of this kind: Huawei.
    private static let vendors: Set<String> = ["12d1"]
    /// Drivers of sticks that are routers of their own; in its other modes the same hardware is a modem of ModemManager's.
    private static let drivers: Set<String> = ["cdc_ether", "rndis_host", "cdc_ncm"]

    /// Whether an interface is a network card on USB as these sticks show one.
    static func isStick(_ interface: String, sysfs: String) -> Bool {
        let device = "\(sysfs)/class/net/\(interface)/device"
        var target = [CChar](repeating: 0, count: 512)
        let length = readlink("\(device)/driver", &target, target.count - 1)
        guard length > 0 else { return false }
        let path = String(decoding: target.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let driver = path.split(separator: "/").last, drivers.contains(String(driver)) else { return false }
        // The interface's device is an interface of the USB device, which is the folder above.
        return vendors.contains(firstLine("\(device)/../idVendor"))
    }

    private static func firstLine(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)).prefix { $0 > 0x20 }, as: UTF8.self)
    }

    /// RFC 1918: where a stick's own network is.
    private static let inside = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].compactMap { AddressRange($0) }

    /// The private gateway of the cheapest way to everywhere through an interface; nil where there is none.
    static func gateway(of index: Int, in messages: [RouteMessage]) -> SocketAddress? {
        let ways = messages.compactMap { message -> RouteEntry? in
            guard case .route(let route) = message, route.table == RouteEntry.mainTable, route.type == RouteEntry.unicast,
                route.index == index, route.family == .ipv4, route.prefixLength == 0
            else { return nil }
            return route
        }
        guard let gateway = ways.min(by: { $0.metric < $1.metric })?.gateway else { return nil }
        return inside.contains { $0.contains(gateway) } ? gateway : nil
    }
}
