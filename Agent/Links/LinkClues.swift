import Glibc
import Wire

/// What sysfs tells of an interface beyond rtnetlink.
package struct LinkClues: Hashable, Sendable {
    /// `DEVTYPE` of its uevent: `wlan`, `wwan`, `bridge`; nil for plain Ethernet.
    package var deviceType: String?
    /// The kernel driver's name: `qmi_wwan`, `r8152`; nil for a virtual interface.
    package var driver: String?
    /// The USB vendor's number in hexadecimal: `12d1`; nil for what is not on USB.
    package var vendor: String?

    package init(deviceType: String? = nil, driver: String? = nil, vendor: String? = nil) {
        self.deviceType = deviceType
        self.driver = driver
        self.vendor = vendor
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
        // The interface's device is an interface of the USB device, which is the folder above.
        vendor = Self.text("\(folder)/device/../idVendor").split(whereSeparator: \.isWhitespace).first.map(String.init)
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

/// Drivers of modems, and of telephones that share their connection: whatever DEVTYPE says, it costs by the byte.
///
/// Modems: the vendors' and `cdc_mbim`. Telephones: `ipheth`, `rndis_host`, which sticks with a router of their own use as well.
private let modemDrivers: Set<String> = [
    "qmi_wwan", "cdc_mbim", "huawei_cdc_ncm", "rndis_host", "ipheth", "sierra_net", "hso", "iosm", "mtk_t7xx", "mhi_net", "mhi_wwan_mbim",
]

/// Drivers of a USB class that sticks, telephones (NCM, since Android 13) and plain Ethernet adapters share. The kernel marks the modems that it
/// knows by DEVTYPE `wwan` (FLAG_WWAN in cdc_ether.c and cdc_ncm.c); a stick and an adapter look the same otherwise.
private let sharedDrivers: Set<String> = ["cdc_ether", "cdc_ncm"]

/// Vendors of the chips in Ethernet adapters and docks, which end there where the kernel has no driver of their own or does not prefer it:
/// Realtek (RTL8153, RTL8156), ASIX (AX88179A), DisplayLink. Whoever else it is counts as metered: the other mistake costs money.
private let adapterVendors: Set<String> = ["0bda", "0b95", "17e9"]

extension LinkClues {
    private var isModem: Bool {
        guard let driver else { return false }
        return modemDrivers.contains(driver) || sharedDrivers.contains(driver) && !(vendor.map(adapterVendors.contains) ?? false)
    }

    /// - Parameters:
    ///   - hardwareType: ARPHRD_*.
    ///   - kind: IFLA_INFO_KIND.
    func kind(hardwareType: Int, kind: String?) -> Link.Kind {
        if deviceType == "wlan" { return .wifi }
        if deviceType == "wwan" || kind == "wwan" || isModem { return .cellular }
        // ARPHRD_PPP and ARPHRD_RAWIP: a modem's serial or raw mode.
        if hardwareType == 512 || hardwareType == 519 { return .cellular }
        if kind != nil { return kind == "vlan" ? .ethernet : .virtual }
        return hardwareType == 1 && driver != nil ? .ethernet : .other
    }
}
