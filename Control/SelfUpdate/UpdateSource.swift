package import Configuration
package import HTTP
package import Releases

/// Where this server's own releases come from, and which it is offered: `[updates]` of control's configuration. What is taken is not decided
/// here: the updater beside control holds each release against keys of root's.
package struct UpdateSource: Sendable {
    /// The list of keys; nil: this server is not updated from the page.
    package let keys: String?
    package let channel: ReleaseChannel
    /// A folder as `strata-provision release publish` makes it; nil: what the operator has published here.
    package let url: URLParts?
    /// What the updater says of itself.
    package let report: String
    package let machine: MachineClass

    package init(_ reader: ConfigurationReader) {
        let section = reader.section("updates")
        keys = section.optionalString("keys", "an absolute path") { $0.hasPrefix("/") }
        channel = section.choice("channel", default: ReleaseChannel.stable, placeholder: .stable)
        url = section.optionalString("source", "https://HOST/PATH of a folder of releases") { Self.url($0) != nil }.flatMap(Self.url)
        report = section.string("report", default: "/var/lib/strata-update/report.json", "an absolute path") { $0.hasPrefix("/") }
        machine = Self.machine
    }

    package init(keys: String?, channel: ReleaseChannel, url: URLParts?, report: String, machine: MachineClass) {
        self.keys = keys
        self.channel = channel
        self.url = url
        self.report = report
        self.machine = machine
    }

    private static func url(_ text: String) -> URLParts? {
        // try?: whatever is wrong with it, the fault says what one looks like.
        guard let url = try? URLParts(text, schemes: [.https, .http]), url.query == nil else { return nil }
        return url
    }

    private static var machine: MachineClass {
        #if arch(arm64)
            let name = "arm64"
        #else
            let name = "amd64"
        #endif
        guard let machine = MachineClass(name) else { preconditionFailure("both names are of a-z and 0-9") }
        return machine
    }
}
