import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

export const ROOT = resolve(import.meta.dirname, '..');

/** One file of the source, as far as its architecture goes. */
export interface SourceFile {
  /** Below the root of the repository. */
  path: string;
  imports: Import[];
  /** The texts in its code: literals, and the constant pieces of templates. Not those in comments. */
  texts: string[];
  /** Its code, without comments. */
  code: string;
}

export interface Import {
  from: string;
  /** A package, or a file below the root of the repository. */
  to: string;
  /** What is imported by name. */
  names: string[];
}

/** Every source file below a folder, parsed. */
export const sourceFiles = (folder: string): SourceFile[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith('.ts'))
    .map(parse);

function parse(path: string): SourceFile {
  const code = readFileSync(join(ROOT, path), 'utf8');
  const source = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true);
  const file: SourceFile = { path, imports: [], texts: [], code: withoutComments(source) };
  const add = (specifier: ts.Node | undefined, names: string[] = []): void => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    const { text } = specifier;
    const to = text.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(path), text)) : text;
    file.imports.push({ from: path, to: text.startsWith('.') ? to.replace(/\.js$/, '.ts') : to, names });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, importedNames(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else {
      if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
        add(node.arguments[0]);
      if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
        file.texts.push(node.text);
      ts.forEachChild(node, visit);
    }
  };
  visit(source);
  return file;
}

function importedNames({ importClause }: ts.ImportDeclaration): string[] {
  const bindings = importClause?.namedBindings;
  if (!bindings || !ts.isNamedImports(bindings)) return [];
  return bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text);
}

/** Printed by the compiler, which knows a comment from a text that looks like one. */
const withoutComments = (source: ts.SourceFile): string =>
  ts.createPrinter({ removeComments: true }).printFile(source);
