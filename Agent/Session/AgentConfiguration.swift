package import Configuration
import Links
import Modems
package import Logging
import Web

/// The configuration file of `strata-agent`.
package struct AgentConfiguration: Sendable {
    package let runtimeFolder: String
    package let stateFolder: String
    package let mediaFolder: String?
    package let logLevel: Log.Level
    package let session: SessionSettings

    /// - Parameters:
    ///   - text: the file's.
    ///   - source: its name.
    /// - Throws: every fault at once.
    package init(_ text: String, source: String, environment: [String: String], version: String) throws(ConfigurationFaults) {
        let reader = try ConfigurationReader(text, source: source, environment: environment)
        let folders = reader.section("folders")
        runtimeFolder = folders.string("runtime", default: "/run/strata", "an absolute path", where: Self.isPath)
        stateFolder = folders.string("state", default: "/var/lib/strata", "an absolute path", where: Self.isPath)
        mediaFolder = folders.optionalString("media", "an absolute path", where: Self.isPath)
        let proxy = reader.section("server").optionalString("proxy", ClientOptions.Proxy.expected) { ClientOptions.Proxy($0) != nil }
        let links = reader.section("links")
        let names = "names of interfaces, or their beginnings followed by *"
        let policy = LinkPolicy(
            allow: links.strings("allow", default: [], names, where: Self.isPattern),
            deny: links.strings("deny", default: [], names, where: Self.isPattern))
        let modems = reader.section("modems")
        let usesSatellites = modems.boolean("satellites", default: true)
        let sticks = modems.strings("sticks", default: [], "names of interfaces", where: SenderConfiguration.isLink)
        let accounts = ModemAccounts(standard: Self.access(modems), own: reader.sections("modem").compactMap { Self.own($0, reader) })
        let trace = reader.section("trace").optionalString("access_units", "an absolute path", where: Self.isPath)
        logLevel = reader.section("log").choice("level", default: LevelName.notice, placeholder: .notice).level
        try reader.finish()
        var session = SessionSettings(
            runtimeFolder: runtimeFolder, stateFolder: stateFolder, mediaFolder: mediaFolder, links: policy, trace: trace, version: version)
        session.proxy = proxy.flatMap { ClientOptions.Proxy($0) }
        session.usesSatellites = usesSatellites
        session.modems = accounts
        session.sticks = sticks
        // As every program of the system's bus has it.
        session.bus = environment["DBUS_SYSTEM_BUS_ADDRESS"] ?? session.bus
        self.session = session
    }

    private static func access(_ modems: ConfigurationSection) -> ModemAccess? {
        let apn = modems.optionalString("apn", "1 to 100 characters") { (1...100).contains($0.utf8.count) && !$0.utf8.contains(0) }
        let (user, password, pin) = (modems.optionalString("user"), modems.secret("password"), modems.secret("pin"))
        let allowsRoaming = modems.boolean("roaming", default: false)
        return apn.map { ModemAccess(apn: $0, user: user, password: password, pin: pin, allowsRoaming: allowsRoaming) }
    }

    /// A section `[[modem]]`: of one modem, or of one SIM card.
    private static func own(_ section: ConfigurationSection, _ reader: ConfigurationReader) -> ModemAccounts.Own? {
        let digits: (String) -> Bool = { (5...32).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        let modem = section.optionalString("id", "the modem's IMEI, digits", where: digits)
        let sim = section.optionalString("sim", "the number on the SIM card (ICCID), digits", where: digits)
        let access = access(section)
        guard modem != nil || sim != nil else {
            reader.note("modem", nil, "id, sim or both in each [[modem]]")
            return nil
        }
        guard let access else {
            reader.note("modem.apn", nil, "1 to 100 characters; it is missing")
            return nil
        }
        return ModemAccounts.Own(modem: modem, sim: sim, access: access)
    }

    private static func isPath(_ text: String) -> Bool { text.hasPrefix("/") }

    private static func isPattern(_ text: String) -> Bool {
        SenderConfiguration.isLink(text.hasSuffix("*") && text.count > 1 ? String(text.dropLast()) : text)
    }

    private enum LevelName: String, CaseIterable {
        case trace, debug, info, notice, warning, error

        var level: Log.Level {
            switch self {
            case .trace: .trace
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            }
        }
    }
}
