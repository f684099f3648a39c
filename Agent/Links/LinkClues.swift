import Glibc
import Wire

/// What sysfs tells of an interface beyond rtnetlink.
package struct LinkClues: Hashable, Sendable {
    /// `DEVTYPE` of its uevent: `wlan`, `wwan`, `bridge`; nil for plain Ethernet.
    package var deviceType: String?
    /// The kernel driver's name: `qmi_wwan`, `r8152`; nil for a virtual interface.
    package var driver: String?

    package init(deviceType: String? = nil, driver: String? = nil) {
        self.deviceType = deviceType
        self.driver = driver
    }

    /// Reads them for an interface that the kernel named. What is not there stays nil: the interface may just be going.
    package init(interface: String, sysfs: String = "/sys") {
        let folder = "\(sysfs)/class/net/\(interface)"
        for line in Self.text("\(folder)/uevent").split(separator: "\n") where line.hasPrefix("DEVTYPE=") {
            deviceType = String(line.dropFirst(8))
        }
        var target = [CChar](repeating: 0, count: 512)
        let length = readlink("\(folder)/device/driver", &target, target.count - 1)
        guard length > 0 else { return }
        let path = String(decoding: target.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        driver = path.split(separator: "/").last.map(String.init)
    }

    private static func text(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}

/// Drivers of modems that show up as Ethernet: USB sticks and phones (RNDIS, CDC), which DEVTYPE does not always tell.
private let modemDrivers: Set<String> = [
    "qmi_wwan", "cdc_mbim", "huawei_cdc_ncm", "cdc_ether", "rndis_host", "ipheth", "sierra_net", "hso", "iosm", "mtk_t7xx",
    "mhi_net", "mhi_wwan_mbim",
]

extension LinkClues {
    /// - Parameters:
    ///   - hardwareType: ARPHRD_*.
    ///   - kind: IFLA_INFO_KIND.
    func kind(hardwareType: Int, kind: String?) -> Link.Kind {
        if deviceType == "wlan" { return .wifi }
        if deviceType == "wwan" || kind == "wwan" || driver.map(modemDrivers.contains) ?? false { return .cellular }
        // ARPHRD_PPP and ARPHRD_RAWIP: a modem's serial or raw mode.
        if hardwareType == 512 || hardwareType == 519 { return .cellular }
        if kind != nil { return kind == "vlan" ? .ethernet : .virtual }
        return hardwareType == 1 && driver != nil ? .ethernet : .other
    }
}
