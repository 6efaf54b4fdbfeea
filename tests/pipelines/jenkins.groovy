// Runs a declarative Jenkinsfile over stand-ins for Jenkins's steps, which do what the real ones do as far as
// examples/jenkins needs it. A step, a directive or an argument that is not known here is an error, so that none goes
// untried. It prints the build's log, and ends with 0 whatever the build's result is.
//
//   jenkins.groovy JENKINSFILE HOME NUMBER LAST_SUCCESSFUL [NAME=VALUE...]
//
// HOME takes the workspace and what is archived. LAST_SUCCESSFUL is a build's number, or `-`. The NAME=VALUE are the
// build's parameters; ABORT_AT=TEXT is the log's line at which somebody aborts it. The credentials are EPM_USERNAME and
// EPM_PASSWORD; the agent has none of the EPM_ variables but EPM_POLL_MIN.

import groovy.xml.XmlSlurper
import org.codehaus.groovy.ast.expr.BinaryExpression
import org.codehaus.groovy.ast.expr.ClosureExpression
import org.codehaus.groovy.ast.expr.MethodCallExpression
import org.codehaus.groovy.ast.expr.PropertyExpression
import org.codehaus.groovy.ast.CodeVisitorSupport
import org.codehaus.groovy.ast.stmt.ExpressionStatement
import org.codehaus.groovy.control.CompilationUnit
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.control.Phases

import java.nio.file.FileSystems
import java.nio.file.Files
import java.util.concurrent.TimeUnit

// What Declarative allows in which block: its validator refuses statements that are no steps outside of `script`.
class Grammar {
    static final Set SECTIONS = ['agent', 'options', 'parameters', 'environment', 'stages']
    static final Set STAGE = ['steps', 'post']
    static final Set CONDITIONS = ['always', 'success', 'unstable', 'failure', 'aborted']

    static void check(File jenkinsfile) {
        CompilationUnit unit = new CompilationUnit()
        unit.addSource(jenkinsfile)
        unit.compile(Phases.CONVERSION)
        Map<String, List> pipeline = blocks(unit.AST.modules[0].statementBlock, ['pipeline'] as Set)
        Map<String, List> sections = blocks(pipeline.pipeline[0], SECTIONS)
        assert sections.agent && sections.stages: 'a pipeline has an agent and stages'
        sections.environment.each { block -> environment(block) }
        blocks(sections.stages[0], ['stage'] as Set).stage.each { block ->
            Map<String, List> parts = blocks(block, STAGE)
            parts.steps.each { steps -> calls(steps) }
            parts.post.each { post -> blocks(post, CONDITIONS).values().flatten().each { steps -> calls(steps) } }
        }
    }

    // The blocks in a block, by name; there is nothing else in it.
    static Map<String, List> blocks(block, Set allowed) {
        Map<String, List> found = [:].withDefault { [] }
        calls(block).each { call ->
            assert call.methodAsString in allowed: "${call.methodAsString} is not expected in line ${call.lineNumber}"
            found[call.methodAsString] << call.arguments.expressions.last().code
        }
        return found
    }

    static List<MethodCallExpression> calls(block) {
        return block.statements.collect { statement ->
            assert statement instanceof ExpressionStatement && statement.expression instanceof MethodCallExpression &&
                statement.expression.implicitThis: "no step, in line ${statement.lineNumber}: ${statement.text}"
            statement.expression
        }
    }

    // Assignments; Declarative takes their values apart, and forgets what is `safe` about `?.`.
    static void environment(block) {
        block.statements.each { statement ->
            assert statement.expression instanceof BinaryExpression && statement.expression.operation.text == '=':
                "no assignment, in line ${statement.lineNumber}"
            statement.expression.visit(new CodeVisitorSupport() {
                @Override void visitPropertyExpression(PropertyExpression expression) {
                    assert !expression.safe: "`?.` in line ${expression.lineNumber}"
                    super.visitPropertyExpression(expression)
                }
                @Override void visitClosureExpression(ClosureExpression expression) {
                    assert false: "a closure in line ${expression.lineNumber}"
                }
            })
        }
    }
}

// In the order in which one result wins over another.
enum Result { SUCCESS, UNSTABLE, FAILURE, ABORTED }

class Aborted extends RuntimeException { }

class Failed extends RuntimeException {
    Failed(String message) { super(message) }
}

// `env`: the agent's variables, Jenkins's own and the build's.
class Env {
    Map<String, String> values = [:]
    Object getProperty(String name) { this.@values[name] }
    void setProperty(String name, Object value) { this.@values[name] = value as String }
}

class CurrentBuild {
    Result state = Result.SUCCESS
    String description
    Map previousSuccessfulBuild
    void worsen(Result result) { if (result > state) { state = result } }
}

// Collects the directives of `pipeline`, `stage` and `post`, whose blocks run later.
class Directives {
    Map<String, Closure> blocks = [:]
    Object invokeMethod(String name, Object arguments) { blocks[name] = arguments.last() }
    static Map<String, Closure> of(Closure block) {
        Directives directives = new Directives()
        block.delegate = directives
        block.resolveStrategy = Closure.DELEGATE_FIRST
        block()
        block.resolveStrategy = Closure.OWNER_ONLY // or the steps in its blocks would be taken for directives
        return directives.blocks
    }
}

// `environment`: an assignment sets a variable; a name is a variable, or what the script knows.
class Assignments {
    final Build build
    Assignments(Build build) { this.@build = build }
    Object getProperty(String name) { this.@build.getProperty(name) }
    void setProperty(String name, Object value) { this.@build.env.setProperty(name, value) }
}

// The script's own functions: `pipeline` and each step.
abstract class Build extends Script {
    Env env = new Env()
    Map params = [:]
    CurrentBuild currentBuild = new CurrentBuild()
    Set options = []
    Map credentials
    File home, workspace
    String abortAt
    long began = System.currentTimeMillis()

    @Override Object getProperty(String name) {
        return env.@values.containsKey(name) ? env.@values[name] : super.getProperty(name)
    }

    // Declarative

    void pipeline(Closure block) {
        Map<String, Closure> parts = Directives.of(block)
        parts.parameters?.call()
        parts.options?.call()
        parts.agent?.call()
        assign(parts.environment)
        parts.stages()
    }

    void label(String name) { println "Running on agent ${name} in ${workspace}" }
    void disableConcurrentBuilds() { options << 'disableConcurrentBuilds' }
    void skipStagesAfterUnstable() { options << 'skipStagesAfterUnstable' }
    void timeout(Map given) {
        only(given, 'time', 'unit')
        options << "timeout ${TimeUnit.valueOf(given.unit).toMinutes(given.time)}"
    }
    void string(Map given) { parameter(given) }
    void booleanParam(Map given) { parameter(given) { it as String == 'true' } }

    protected void parameter(Map given, Closure parse = { it as String }) {
        only(given, 'name', 'defaultValue', 'description')
        params[given.name] = parse(params.containsKey(given.name) ? params[given.name] : given.defaultValue)
        env.setProperty(given.name, params[given.name])
    }

    protected void assign(Closure block) {
        if (block == null) { return }
        block.delegate = new Assignments(this)
        block.resolveStrategy = Closure.DELEGATE_ONLY
        block()
    }

    // A failed stage skips those after it; its own `post` runs on every way out, in Declarative's order.
    void stage(String name, Closure block) {
        println "[Stage] ${name}"
        if (currentBuild.state > Result.UNSTABLE ||
                currentBuild.state == Result.UNSTABLE && 'skipStagesAfterUnstable' in options) {
            println "Stage \"${name}\" skipped: the build is ${currentBuild.state}"
            return
        }
        env.setProperty('STAGE_NAME', name)
        Map<String, Closure> parts = Directives.of(block)
        attempt(parts.steps)
        Map<String, Closure> post = parts.post ? Directives.of(parts.post) : [:]
        attempt(post.always)
        attempt(post[currentBuild.state.name().toLowerCase()])
    }

    protected void attempt(Closure block) {
        try {
            block?.call()
        } catch (Aborted ignored) {
            currentBuild.worsen(Result.ABORTED)
        } catch (Failed failure) {
            println "ERROR: ${failure.message}"
            currentBuild.worsen(Result.FAILURE)
        }
    }

    // Steps

    void script(Closure block) { block() }
    void error(String message) { throw new Failed(message) }
    void unstable(String message) {
        println "WARNING: ${message}"
        currentBuild.worsen(Result.UNSTABLE)
    }
    boolean fileExists(String file) { new File(workspace, file).exists() }
    String readFile(String file) { new File(workspace, file).text }

    Map usernamePassword(Map given) { only(given, 'credentialsId', 'usernameVariable', 'passwordVariable') }

    // Without the masking that Jenkins does, so that a test can see what is there to be masked.
    Object withCredentials(List<Map> bindings, Closure block) {
        Map outside = [:] + env.@values
        bindings.each { binding ->
            Map stored = credentials[binding.credentialsId]
            if (stored == null) { error("Could not find credentials entry with ID '${binding.credentialsId}'") }
            env.setProperty(binding.usernameVariable, stored.username)
            env.setProperty(binding.passwordVariable, stored.password)
        }
        try {
            return block()
        } finally {
            env.@values.keySet().retainAll(outside.keySet())
            env.@values.putAll(outside)
        }
    }

    Object sh(String text) { sh(script: text) }

    // durable-task: a file beside the workspace, `sh -xe`, both streams in one log.
    Object sh(Map given) {
        only(given, 'script', 'returnStatus')
        File folder = new File("${workspace}@tmp")
        folder.mkdirs()
        File file = new File(Files.createTempDirectory(folder.toPath(), 'durable-').toFile(), 'script.sh')
        file.text = given.script
        String cookie = "durable-${UUID.randomUUID()}"
        assert !given.script.startsWith('#!'): 'another shell than sh is not known here'
        ProcessBuilder builder = new ProcessBuilder(['sh', '-xe', file.path])
        builder.directory(workspace).redirectErrorStream(true)
        builder.environment().clear()
        builder.environment().putAll(env.@values + [JENKINS_SERVER_COOKIE: cookie])
        Process process = builder.start()
        Runtime.runtime.addShutdownHook { process.descendants().toList()*.destroyForcibly() }
        boolean aborted = false
        process.inputStream.eachLine { line ->
            println line
            if (abortAt && line.contains(abortAt) && !aborted) {
                aborted = true
                println 'Aborted by a user\nSending interrupt signal to process'
                stop(process.toHandle(), cookie)
            }
        }
        int code = process.waitFor()
        if (aborted) { throw new Aborted() }
        if (!given.returnStatus && code != 0) { error("script returned exit code ${code}") }
        return given.returnStatus ? code : null
    }

    // hudson.util.ProcessTree: SIGTERM to each process that has the cookie, and SIGKILL where that takes 5 s.
    protected void stop(ProcessHandle shell, String cookie) {
        List<ProcessHandle> marked = ([shell] + shell.descendants().toList()).findAll { handle ->
            new File("/proc/${handle.pid()}/environ").text.contains("JENKINS_SERVER_COOKIE=${cookie}")
        }
        println "${marked.size()} processes get SIGTERM"
        marked*.destroy()
        Thread.startDaemon {
            sleep(5000)
            marked.findAll { it.alive }.each { println "${it.pid()} was killed"; it.destroyForcibly() }
        }
    }

    // Files that are new: what an earlier build left does not count. Failures make the build unstable.
    void junit(Map given) {
        only(given, 'testResults', 'allowEmptyResults')
        List<File> files = matching(given.testResults).findAll { it.lastModified() >= began - 3000 }
        if (!files && !given.allowEmptyResults) { error('No test report files were found. Configuration error?') }
        int failures = files.sum(0) { file ->
            new XmlSlurper().parse(file).depthFirst().count { it.name() in ['failure', 'error'] }
        }
        println "Recording test results: ${files.size()} files, ${failures} failures"
        if (failures > 0) { currentBuild.worsen(Result.UNSTABLE) }
    }

    void publishHTML(Map given) {
        only(given, 'reportName', 'reportDir', 'reportFiles', 'keepAll', 'alwaysLinkToLastBuild', 'allowMissing')
        assert given.size() == 6: 'each of them is an argument of the constructor'
        List<File> files = given.reportFiles.split(',').collect { new File(new File(workspace, given.reportDir), it) }
        if (!files.every { it.exists() } && !given.allowMissing) { error('Specified HTML directory does not exist.') }
        copy(files.findAll { it.exists() }, 'htmlreports')
    }

    void archiveArtifacts(Map given) {
        only(given, 'artifacts', 'allowEmptyArchive')
        List<File> files = matching(given.artifacts)
        if (!files && !given.allowEmptyArchive) { error('No artifacts found that match the file pattern') }
        copy(files, 'archive')
    }

    protected List<File> matching(String pattern) {
        def matcher = FileSystems.default.getPathMatcher("glob:${pattern}")
        List<File> found = []
        workspace.eachFileRecurse { file ->
            if (file.file && matcher.matches(workspace.toPath().relativize(file.toPath()))) { found << file }
        }
        return found
    }

    protected void copy(List<File> files, String place) {
        File into = new File(home, "builds/${env.BUILD_NUMBER}/${place}")
        into.mkdirs()
        files.each { new File(into, it.name).bytes = it.bytes }
    }

    protected Map only(Map given, String... keys) {
        assert keys.toList().containsAll(given.keySet()): "not known: ${given.keySet() - keys.toList()}"
        return given
    }
}

def (jenkinsfile, home, number, lastSuccessful) = args
Map given = args.drop(4).collectEntries { it.split('=', 2) }
Grammar.check(new File(jenkinsfile))

CompilerConfiguration configuration = new CompilerConfiguration(scriptBaseClass: Build.name)
Build build = new GroovyShell(this.class.classLoader, new Binding(), configuration).parse(new File(jenkinsfile))
build.home = new File(home)
build.workspace = new File(home, 'workspace/load')
build.workspace.mkdirs()
build.abortAt = given.remove('ABORT_AT')
build.params.putAll(given)
build.credentials = ['epm-prod': [username: System.getenv('EPM_USERNAME'), password: System.getenv('EPM_PASSWORD')]]
build.currentBuild.previousSuccessfulBuild = lastSuccessful == '-' ? null : [number: lastSuccessful as int]
build.env.@values.putAll([
    PATH: System.getenv('PATH'), HOME: home, EPM_POLL_MIN: System.getenv('EPM_POLL_MIN'),
    JENKINS_URL: 'http://127.0.0.1/', BUILD_URL: "http://127.0.0.1/job/load/${number}/".toString(),
    JOB_NAME: 'load', BUILD_NUMBER: number, WORKSPACE: build.workspace.path,
])
build.run()
println "Options: ${build.options.sort().join(', ')}"
println "Description: ${build.currentBuild.description}"
println "Finished: ${build.currentBuild.state}"
