import Testing

@testable import TOML

@Suite struct ParsingTests {
    @Test("the document of the specification's front page is read")
    func frontPage() throws {
        let table = try TOMLTable.parse(
            """
            # This is a TOML document
            title = "TOML Example"

            [owner]
            name = "Tom Preston-Werner"
            dob = 1979-05-27T07:32:00-08:00

            [database]
            enabled = true
            ports = [ 8000, 8001, 8002, ]
            data = [ ["delta", "phi"], [3.14] ] # mixed
            temp_targets = { cpu = 79.5, case.inner = 72 }

            [servers.alpha]
            ip = "10.0.0.1"
            [servers]
            any = 1
            [[hosts]]
            name = 'a'
            [[hosts]]
            name = 'b'
            [hosts.more]
            x = -0
            """)
        #expect(
            table == [
                "title": .string("TOML Example"),
                "owner": .table(["name": .string("Tom Preston-Werner"), "dob": .date("1979-05-27T07:32:00-08:00")]),
                "database": .table([
                    "enabled": .boolean(true), "ports": .array([.integer(8000), .integer(8001), .integer(8002)]),
                    "data": .array([.array([.string("delta"), .string("phi")]), .array([.float(3.14)])]),
                    "temp_targets": .table(["cpu": .float(79.5), "case": .table(["inner": .integer(72)])]),
                ]),
                "servers": .table(["alpha": .table(["ip": .string("10.0.0.1")]), "any": .integer(1)]),
                "hosts": .array([
                    .table(["name": .string("a")]), .table(["name": .string("b"), "more": .table(["x": .integer(0)])]),
                ]),
            ])
        #expect(table.position(of: "title") == TOMLPosition(line: 2, column: 1))
        #expect(try TOMLTable.parse(table.document) == table)
    }

    @Test("the byte order mark that Windows editors write is passed over, at the beginning alone, and moves no column")
    func byteOrderMark() throws {
        let table = try TOMLTable.parse("\u{feff}a = 1\r\n[b]\r\nc = 2\r\n")
        #expect(table == ["a": .integer(1), "b": .table(["c": .integer(2)])])
        #expect(table.position(of: "a") == TOMLPosition(line: 1, column: 1))
        #expect(try TOMLTable.parse("\u{feff}") == [:])
        for text in ["\u{feff}\u{feff}a = 1", "a = 1\n\u{feff}b = 2", " \u{feff}a = 1"] {
            #expect(throws: TOMLFault.self) { try TOMLTable.parse(text) }
        }
        let fault = #expect(throws: TOMLFault.self) { try TOMLTable.parse("\u{feff}a = ?") }
        #expect(fault?.position == TOMLPosition(line: 1, column: 5))
        #expect(try TOMLTable.parse("a = \"\u{feff}\"")["a"] == .string("\u{feff}"))
    }

    @Test(
        "a scalar is what TOML says",
        arguments: [
            (#""a\tb\u00e4\U0001F600\\\"""#, .string("a\tbä😀\\\"")), (#"'C:\x'"#, .string(#"C:\x"#)),
            ("\"\"\"\nx\r\ny\"\"\"", .string("x\r\ny")),
            ("\"\"\"a \\  \n\n   b\"\"\"", .string("a b")), ("\"\"\"\"\"x\"\"\"\"\"", .string("\"\"x\"\"")),
            ("'''''x'''''", .string("''x''")),
            ("'''\n\\n'''", .string("\\n")), ("\"\"", .string("")), ("''", .string("")),
            ("+99", .integer(99)), ("-17", .integer(-17)), ("1_000", .integer(1000)), ("0xDEAD_beef", .integer(0xdead_beef)),
            ("0o755", .integer(493)),
            ("0b11", .integer(3)), ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)), ("0", .integer(0)),
            ("1.5", .float(1.5)), ("-0.0", .float(-0.0)), ("5e+22", .float(5e22)), ("6.626e-34", .float(6.626e-34)), ("1e06", .float(1e6)),
            ("224_617.445_991", .float(224_617.445991)), ("-inf", .float(-.infinity)),
            ("1979-05-27", .date("1979-05-27")), ("1979-05-27 07:32:00Z", .date("1979-05-27 07:32:00Z")),
            ("07:32:00.999", .date("07:32:00.999")),
            ("1979-05-27t07:32:00.5+01:00", .date("1979-05-27t07:32:00.5+01:00")), ("2000-02-29", .date("2000-02-29")),
            ("[]", .array([])), ("[ # c\n 1 , # d\n\n]", .array([.integer(1)])), ("{}", .table([:])),
            ("{a.b=1,a.c=2}", .table(["a": .table(["b": .integer(1), "c": .integer(2)])])),
        ] as [(String, TOMLValue)])
    func scalars(text: String, value: TOMLValue) throws {
        #expect(try TOMLTable.parse("k = \(text)")["k"] == value)
        #expect(try TOMLTable.parse("k = \(text) # c\r\n")["k"] == value)
    }

    @Test("keys are bare, quoted or dotted")
    func keys() throws {
        let table = try TOMLTable.parse("1234 = 1\n\"a.b\" = 2\nx . \"y z\" . 'w' = 3\n\"\" = 4\na-b_c=5\n3.14 = 6\n[ \"q\" . r ]")
        #expect(table["1234"] == .integer(1))
        #expect(table["a.b"] == .integer(2))
        #expect(table["x"] == .table(["y z": .table(["w": .integer(3)])]))
        #expect(table[""] == .integer(4))
        #expect(table["3"] == .table(["14": .integer(6)]))
        #expect(table["q"] == .table(["r": .table([:])]))
    }

    @Test("a table may be extended where TOML allows it")
    func extending() throws {
        #expect(try TOMLTable.parse("[a.b]\nx=1\n[a]\ny=2\n[a.c]")["a"] != nil)
        #expect(
            try TOMLTable.parse("a.b.c=1\na.b.d=2\na.e=3")["a"]
                == .table(["b": .table(["c": .integer(1), "d": .integer(2)]), "e": .integer(3)]))
        #expect(try TOMLTable.parse("[fruit]\napple.color=1\n[fruit.apple.texture]\nsmooth=true")["fruit"] != nil)
    }

    @Test(
        "what TOML 1.0 does not allow is refused where it stands",
        arguments: [
            // Duplicates and redefinitions.
            ("a=1\na=2", 2, 1), ("a=1\n\"a\"=2", 2, 1), ("[a]\n[a]", 2, 2), ("a=1\n[a]", 2, 2), ("[a]\nb=1\n[a.b]", 3, 4),
            ("a.b=1\na=2", 2, 1),
            ("a=1\na.b=2", 2, 1), ("[fruit]\napple.color=1\n[fruit.apple]", 3, 8), ("[a.b.c]\nz=9\n[a]\nb.c.t=1", 4, 1),
            ("a={b=1}\na.c=2", 2, 1), ("a={b=1}\n[a.c]", 2, 2), ("a=[1]\n[[a]]", 2, 3), ("[a]\n[[a]]", 2, 3), ("[[a]]\n[a]", 2, 2),
            ("[a.b]\n[[a]]", 2, 3),
            ("a={b=1,b=2}", 1, 8), ("a={b.c=1,b={}}", 1, 10), ("a=[{b=1}]\n[a.c]", 2, 2),
            // Syntax.
            ("a", 1, 2), ("a=", 1, 3), ("=1", 1, 1), ("a=1 b=2", 1, 5), ("[a", 1, 3), ("[a]x", 1, 4), ("[]", 1, 2), ("[a.]", 1, 4),
            ("[[a]", 1, 5), ("[[a] ]", 1, 5),
            ("a.=1", 1, 3), ("a=[1 2]", 1, 6), ("a=[1,,2]", 1, 6), ("a={b=1,}", 1, 8), ("a={b=1\n}", 1, 7), ("a={,}", 1, 4), ("ä=1", 1, 1),
            ("\"\"\"a\"\"\"=1", 1, 1),
            // Strings.
            ("a=\"x", 1, 5), ("a=\"x\ny\"", 1, 5), ("a='x", 1, 5), ("a=\"\"\"x\"\"", 1, 9), ("a=\"\\x\"", 1, 4), ("a=\"\\u12\"", 1, 4),
            ("a=\"\\ud800\"", 1, 4),
            ("a=\"\\U00110000\"", 1, 4), ("a=\"\u{1}\"", 1, 4), ("a='\u{7f}'", 1, 4), ("a=\"\"\"\r\"\"\"", 1, 6),
            ("a=\"\"\"x\"\"\"\"\"\"", 1, 12),
            // Numbers and dates.
            ("a=01", 1, 3), ("a=+01", 1, 3), ("a=1__0", 1, 3), ("a=_1", 1, 3), ("a=1_", 1, 3), ("a=0x", 1, 3), ("a=+0x1", 1, 3),
            ("a=0xg", 1, 3), ("a=1.", 1, 3), ("a=.5", 1, 3),
            ("a=1.e5", 1, 3), ("a=1e", 1, 3), ("a=01.5", 1, 3), ("a=9223372036854775808", 1, 3), ("a=True", 1, 3), ("a=Inf", 1, 3),
            ("a=1979-02-30", 1, 3),
            ("a=1979-05-27T25:00:00Z", 1, 3), ("a=1979-05-27T07:32", 1, 3), ("a=7:32:00", 1, 3), ("a=1979-05-27T07:32:00.", 1, 3),
            ("a=2021-1-1", 1, 3), ("a=1.5.6", 1, 3),
            // Lines and bytes.
            ("a=1\rb=2", 1, 4), ("# \u{0}", 1, 3), ("# x\r", 1, 4),
        ])
    func refused(text: String, line: Int, column: Int) {
        #expect {
            try TOMLTable.parse(text)
        } throws: {
            ($0 as? TOMLFault)?.position == TOMLPosition(line: line, column: column)
        }
    }

    @Test("bytes that are not UTF-8 are refused with their place")
    func notUTF8() {
        #expect {
            try TOMLTable.parse(bytes: Array("a = 1\nb = \"".utf8) + [0xff, 0x22])
        } throws: {
            ($0 as? TOMLFault)?.position == TOMLPosition(line: 2, column: 6)
        }
    }

    @Test("depth and size are bounded")
    func bounds() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: TOMLFault.self) { try TOMLTable.parse("a=\(deep)") }
        #expect(throws: TOMLFault.self) { try TOMLTable.parse("a=" + String(repeating: "{a=", count: 100_000)) }
        #expect(throws: TOMLFault.self) { try TOMLTable.parse(Array(repeating: "a", count: 40).joined(separator: ".") + "=1") }
        #expect(throws: TOMLFault.self) { try TOMLTable.parse("[" + Array(repeating: "a", count: 40).joined(separator: ".") + "]") }
        #expect(throws: TOMLFault.self) { try TOMLTable.parse(String(repeating: "#", count: 2 << 20)) }
        #expect(throws: Never.self) { try TOMLTable.parse("a=" + String(repeating: "[", count: 32) + String(repeating: "]", count: 32)) }
    }

    @Test("any table that can be built is written so that it reads back")
    func writing() throws {
        let table: TOMLTable = [
            "": .string("\u{0}\n\"\\\r\t\u{7f}ä"),
            "a b": .table(["c": .array([]), "d": .array([.table([:]), .integer(1)]), "e": .table([:])]),
            "f": .array([.table(["g": .array([.table(["h": .float(1e300)])])]), .table([:])]), "i": .float(5), "j": .float(-.infinity),
            "k": .float(0.1), "l": .integer(.min), "m": .date("07:32:00"), "n": .float(1e-7),
        ]
        #expect(try TOMLTable.parse(table.document) == table)
    }
}
