import Boards

/// What a board's network settings become on it: connections of NetworkManager's, and variables of the agent's own configuration.
enum NetworkProfile {
    static let folder = "/etc/NetworkManager/system-connections"
    static let variablesFile = "/etc/strata/strata-board.env"

    /// Files of `folder`, by their names. **Source**: nm-settings-keyfile(5).
    static func connections(_ network: BoardNetwork) -> [(name: String, text: String)] {
        var found: [(name: String, text: String)] = []
        if let wireless = network.wireless {
            // The name as numbers: then nothing in it is read as something else.
            let name = wireless.network.utf8.map { "\($0);" }.joined()
            var lines = ["[connection]", "id=strata-wireless", "type=wifi", "", "[wifi]", "mode=infrastructure", "ssid=\(name)"]
            if let password = wireless.password {
                lines += ["", "[wifi-security]", "key-mgmt=wpa-psk", "psk=\(value(password.revealed))"]
            }
            lines += ["", "[ipv4]", "method=auto", "", "[ipv6]", "method=auto", ""]
            found.append((name: "strata-wireless.nmconnection", text: lines.joined(separator: "\n")))
        }
        if let wired = network.wired {
            let address = ([wired.address] + [wired.gateway].compactMap { $0 }).joined(separator: ",")
            var lines = ["[connection]", "id=strata-wired", "type=ethernet", "", "[ipv4]", "method=manual", "address1=\(address)"]
            if !wired.nameServers.isEmpty { lines.append("dns=\(wired.nameServers.map { "\($0);" }.joined())") }
            lines += ["", "[ipv6]", "method=auto", ""]
            found.append((name: "strata-wired.nmconnection", text: lines.joined(separator: "\n")))
        }
        return found
    }

    /// As GLib's key files have it: spaces at an end would be lost, and a backslash begins an escape.
    private static func value(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "\\": result += "\\\\"
            case " ": result += "\\s"
            default: result.append(character)
            }
        }
    }

    /// The text of `variablesFile`; nil where there is nothing to say. **Source**: systemd.exec(5), EnvironmentFile=.
    static func variables(_ file: BoardFile) -> String? {
        let modems = file.network.modems
        let values = [
            ("STRATA_SERVER_PROXY", file.proxy), ("STRATA_MODEMS_APN", modems?.apn), ("STRATA_MODEMS_USER", modems?.user),
            ("STRATA_MODEMS_PASSWORD", modems?.password?.revealed), ("STRATA_MODEMS_PIN", modems?.pin?.revealed),
        ]
        let lines = values.compactMap { name, text in text.map { "\(name)=\"\(quoted($0))\"" } }
        guard !lines.isEmpty else { return nil }
        return (["# By strata-agent prepare; it goes before what stands in strata-agent.conf."] + lines).joined(separator: "\n") + "\n"
    }

    private static func quoted(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            if "\\\"`$".contains(character) { result.append("\\") }
            result.append(character)
        }
    }
}
