import Glibc
import Posix
import Testing

@Suite("Child processes", .timeLimit(.minutes(1)))
struct ChildProcessTests {
    let loop: Loop

    init() throws { loop = try Loop(name: "children") }

    @Test("the exit code and the signal that ended a child are told")
    func exits() async throws {
        let failing = try ChildProcess.start("/bin/sh", ["-c", "exit 7"])
        #expect(await failing.exit(on: loop) == .exited(code: 7))
        #expect(await failing.exit(on: loop) == .exited(code: 7))
        let sleeping = try ChildProcess.start("/bin/sleep", ["60"])
        #expect(sleeping.exitStatus == nil)
        sleeping.signal(SIGTERM)
        #expect(await sleeping.exit(on: loop) == .signalled(SIGTERM))
        sleeping.signal(SIGTERM)
        loop.stop()
    }

    @Test("a program that cannot be executed is an error at once")
    func missing() {
        #expect(throws: SystemError("posix_spawn", ENOENT, on: "/nonexistent")) { try ChildProcess.start("/nonexistent", []) }
        loop.stop()
    }

    @Test("a child gets its arguments, its environment and folder, and no other descriptor of ours")
    func surroundings() async throws {
        var ends: [CInt] = [0, 0]
        #expect(pipe(&ends) == 0)
        // Inheritable on purpose, as a careless library leaves it.
        let leak = open("/dev/zero", O_RDONLY)
        let script = "echo \"$1|$COLOUR|$HOME|$(pwd)|$(ls /proc/$$/fd | tr '\\n' ' ')\""
        let child = try ChildProcess.start(
            "/bin/sh", ["-c", script, "sh", "it's $HOME"], environment: ["COLOUR": "blue", "PATH": "/bin:/usr/bin"], directory: "/tmp",
            output: .descriptor(ends[1]))
        close(ends[1])
        #expect(await child.exit(on: loop) == .exited(code: 0))
        var buffer = [UInt8](repeating: 0, count: 500)
        let count = read(ends[0], &buffer, 500)
        let fields = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: "|", omittingEmptySubsequences: false)
        #expect(fields.prefix(4) == ["it's $HOME", "blue", "", "/tmp"])
        // 10 and more are the shell's own.
        let numbers = fields.last?.split(whereSeparator: { $0 == " " || $0 == "\n" }).compactMap { Int($0) } ?? []
        #expect(numbers.contains(0) && numbers.contains(1) && numbers.contains(2) && !numbers.contains(Int(leak)))
        close(leak)
        close(ends[0])
        loop.stop()
    }

    @Test("a child of its own session is not in our process group")
    func sessions() async throws {
        let child = try ChildProcess.start("/bin/sleep", ["60"], ownSession: true)
        #expect(getpgid(child.pid) == child.pid && getsid(child.pid) == child.pid)
        child.signal(SIGKILL)
        #expect(await child.exit(on: loop) == .signalled(SIGKILL))
        loop.stop()
    }

    @Test("an adopted process that is not our child is seen to end")
    func adoption() async throws {
        var ends: [CInt] = [0, 0]
        #expect(pipe(&ends) == 0)
        // The shell ends at once and leaves its own child to another parent.
        let shell = try ChildProcess.start("/bin/sh", ["-c", "sleep 60 >/dev/null & echo $!"], output: .descriptor(ends[1]))
        close(ends[1])
        #expect(await shell.exit(on: loop).isSuccess)
        var buffer = [UInt8](repeating: 0, count: 50)
        let count = read(ends[0], &buffer, 50)
        close(ends[0])
        let pid = try #require(Int32(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).filter(\.isNumber)))
        let orphan = try ChildProcess.adopt(pid: pid)
        #expect(orphan.exitStatus == nil)
        orphan.signal(SIGKILL)
        #expect(await orphan.exit(on: loop) == .unknown)
        loop.stop()
    }

    @Test("a hundred children that end together are all told apart")
    func many() async throws {
        let loop = loop
        let codes = try await withThrowingTaskGroup(of: Bool.self, returning: Int.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let child = try ChildProcess.start("/bin/sh", ["-c", "exit \(number)"])
                    return await child.exit(on: loop) == .exited(code: CInt(number))
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(codes == 100)
        loop.stop()
    }
}
