import tseslint from 'typescript-eslint';

/** Lint rules: strict, typed. Nothing in src, tui or bench may use `any` or leave a promise floating. */
export default tseslint.config(
  {
    ignores: [
      'dist',
      'dist-test',
      'node_modules',
      'coverage',
      'api-docs',
      'eslint.config.js',
      'scripts',
      '.dependency-cruiser.cjs',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['test/**/*.ts', 'chaos/test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      // HTTP+SSE and setLoggingLevel are deprecated in the SDKs, and they are what has to be tested.
      '@typescript-eslint/no-deprecated': 'off',
    },
  },
  { files: ['bench/**/*.ts', 'src/cli/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    // What the SDK's own exporters read their options and variables by; there is no other way yet.
    files: ['src/telemetry/tracing/span-export.ts'],
    rules: {
      '@typescript-eslint/no-deprecated': [
        'error',
        {
          allow: [{ from: 'package', name: 'convertLegacyHttpOptions', package: '@opentelemetry/otlp-exporter-base' }],
        },
      ],
    },
  },
);
